package sqs

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/google/uuid"
)

const (
	targetPrefix = "AmazonSQS."
	contentType  = "application/x-amz-json-1.0"
	// maxRequestBytes bounds a request's body: a batch of the largest size, with each byte escaped.
	maxRequestBytes = 8 << 20
)

// action answers one API action for the request's JSON.
type action func(*Service, context.Context, []byte) (any, error)

// actions are the supported API actions.
var actions = map[string]action{
	"ChangeMessageVisibility": answer((*Service).changeMessageVisibility),
	"DeleteMessage":           answer((*Service).deleteMessage),
	"DeleteMessageBatch":      answer((*Service).deleteMessageBatch),
	"GetQueueAttributes":      answer((*Service).getQueueAttributes),
	"GetQueueUrl":             answer((*Service).getQueueURL),
	"ListQueues":              answer((*Service).listQueues),
	"PurgeQueue":              answer((*Service).purgeQueue),
	"ReceiveMessage":          answer((*Service).receiveMessage),
	"SendMessage":             answer((*Service).sendMessage),
	"SendMessageBatch":        answer((*Service).sendMessageBatch),
	"StartMessageMoveTask":    answer((*Service).startMessageMoveTask),
}

func answer[In any](handle func(*Service, context.Context, In) (any, error)) action {
	return func(s *Service, ctx context.Context, body []byte) (any, error) {
		var in In
		if err := json.Unmarshal(body, &in); err != nil {
			return nil, fail("SerializationException", "MalformedInput", "the request is no JSON of this action: %v", err)
		}
		return handle(s, ctx, in)
	}
}

// ServeHTTP answers SQS's JSON 1.0 protocol: POST with the action in X-Amz-Target. Signatures are not checked.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("X-Amzn-Requestid", uuid.NewString())
	out, err := s.serve(r)
	status := http.StatusOK
	if err != nil {
		var problem *Error
		if !errors.As(err, &problem) {
			s.log.Error("answering a request", "target", r.Header.Get("X-Amz-Target"), "error", err)
			problem = &Error{http.StatusInternalServerError, "InternalError", "InternalError", err.Error()}
		}
		fault := "Sender"
		if status = problem.Status; status >= http.StatusInternalServerError {
			fault = "Receiver"
		}
		w.Header().Set("X-Amzn-Query-Error", problem.Code+";"+fault)
		out = map[string]string{"__type": "com.amazonaws.sqs#" + problem.Type, "message": problem.Message}
	}
	w.WriteHeader(status)
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(out); err != nil {
		s.log.Debug("answering a request", "error", err)
	}
}

func (s *Service) serve(r *http.Request) (any, error) {
	name, ok := strings.CutPrefix(r.Header.Get("X-Amz-Target"), targetPrefix)
	if r.Method != http.MethodPost || !ok {
		return nil, unsupported("this is SQS's JSON protocol: want POST with X-Amz-Target: %s<action>", targetPrefix)
	}
	act, ok := actions[name]
	if !ok {
		return nil, unsupported("the local SQS does not support %s", name)
	}
	body, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, maxRequestBytes))
	if err != nil {
		return nil, fail("SerializationException", "MalformedInput", "reading the request: %v", err)
	}
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	defer context.AfterFunc(s.closing, cancel)()
	return act(s, ctx, body)
}

// queueRequest is what most requests begin with.
type queueRequest struct {
	QueueUrl string
}

// queue finds the queue of a request. The host of its URL does not matter: we have many names.
func (r queueRequest) queue(s *Service) (*queue, error) {
	if r.QueueUrl == "" {
		return nil, missing("QueueUrl")
	}
	u, err := url.Parse(r.QueueUrl)
	if err != nil {
		return nil, errNoQueue
	}
	rest, name, ok := cutLast(u.Path, "/")
	if _, account, _ := cutLast(rest, "/"); !ok || account != s.config.Account || s.queues[name] == nil {
		return nil, errNoQueue
	}
	return s.queues[name], nil
}

// queueOfARN finds a queue by its ARN.
func (s *Service) queueOfARN(parameter, arn string) (*queue, error) {
	if arn == "" {
		return nil, missing(parameter)
	}
	for _, q := range s.queues {
		if q.arn == arn {
			return q, nil
		}
	}
	return nil, fail("ResourceNotFoundException", "ResourceNotFoundException", "The resource that you specified for the %s parameter doesn't exist.", parameter)
}

// cutLast cuts text around the last separator.
func cutLast(text, separator string) (before, after string, found bool) {
	i := strings.LastIndex(text, separator)
	if i < 0 {
		return "", text, false
	}
	return text[:i], text[i+len(separator):], true
}
