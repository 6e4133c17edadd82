package main

import (
	"context"
	_ "embed"
	"errors"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awslambda "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sfn"

	"fanmail/experiment"
	"fanmail/local"
	"fanmail/local/lambda"
	"fanmail/local/stepfunctions"
)

// naiveDefinition is campaign.asl.json without its brain: the same Prepare, then a Map without a cap.
//
//go:embed naive.asl.json
var naiveDefinition []byte

const (
	naiveFunction = "naive-sender"
	mailerRole    = "mailer"
)

// mailerGrants are what the naive sender's statements need.
var mailerGrants = []string{"usage on schema fanmail", "select on fanmail.campaign", "select, update on fanmail.recipient"}

// runNaive mails the list as it was mailed on the day of the accident.
func runNaive(ctx context.Context, o *options) (h Half, err error) {
	s, err := openStage(ctx, naiveName, o)
	if err != nil {
		return h, err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	database, err := s.server.role(ctx, mailerRole, mailerGrants...)
	if err != nil {
		return h, err
	}
	n, err := startNaive(ctx, s, o.naive, database)
	if err != nil {
		return h, err
	}
	defer func() { err = errors.Join(err, n.close()) }()
	return s.run(ctx, execution{
		client: sfn.NewFromConfig(experiment.ClientConfig(n.endpoint)), machine: n.machine,
		input: map[string]any{
			"campaign": campaignName,
			"manifest": map[string]string{"bucket": s.runtime.Bucket(), "key": batchesFolder + "/" + manifestFile},
			"results":  map[string]string{"bucket": s.runtime.Bucket(), "key": batchesFolder + "/results"},
		},
		lambdas: []*lambda.Service{s.runtime.Lambda(), n.lambda}, sender: naiveFunction,
	})
}

// naive is the same Lambda and Step Functions as the runtime's, once more, for a function and a state machine that are no part
// of Fanmail. SES, S3 and Prepare are the runtime's own.
type naive struct {
	lambda        *lambda.Service
	stepFunctions *stepfunctions.Service
	server        *http.Server
	endpoint      string
	machine       string
}

func startNaive(ctx context.Context, s *stage, binary, database string) (n *naive, err error) {
	environment := map[string]string{"DATABASE_URL": database}
	for _, v := range s.runtime.Environment() {
		environment[v.Name] = v.Value
	}
	n = &naive{}
	n.lambda, err = lambda.New(lambda.Config{
		Functions: []lambda.Function{{
			// No reserved concurrency: only the account's stops it.
			Name: naiveFunction, Binary: binary, Environment: environment, Timeout: 5 * time.Minute, MemorySize: 256,
		}},
		Region: local.Region, Account: local.Account, Concurrency: accountConcurrency,
		LogDirectory: filepath.Join(s.directory, "runtime", "logs"),
	})
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, n.close())
		}
	}()
	var listen net.ListenConfig
	listener, err := listen.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return n, err
	}
	n.endpoint = "http://" + listener.Addr().String()
	atRuntime := experiment.ClientConfig(s.runtime.Endpoint())
	n.stepFunctions = stepfunctions.New(stepfunctions.Config{
		Region: local.Region, Account: local.Account, S3: s3.NewFromConfig(atRuntime),
		Lambda:    byName{naive: awslambda.NewFromConfig(experiment.ClientConfig(n.endpoint)), other: awslambda.NewFromConfig(atRuntime)},
		Functions: map[string]string{"naive": naiveFunction, "prepare": "fanmail-local-prepare"},
	})
	n.server = &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Amz-Target") != "" {
			n.stepFunctions.ServeHTTP(w, r)
			return
		}
		n.lambda.ServeHTTP(w, r)
	})}
	go n.server.Serve(listener)
	n.machine, err = n.stepFunctions.CreateStateMachine("naive", naiveDefinition)
	return n, err
}

func (n *naive) close() error {
	var problems []error
	if n.stepFunctions != nil {
		problems = append(problems, n.stepFunctions.Close())
	}
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	// Invocations that are cut off belong to an experiment that was.
	if err := n.lambda.Close(ctx); !errors.Is(err, context.DeadlineExceeded) {
		problems = append(problems, err)
	}
	if n.server != nil {
		problems = append(problems, n.server.Close())
	}
	return errors.Join(problems...)
}

// byName sends the calls of the naive sender to its own service, and all others to the runtime's.
type byName struct{ naive, other *awslambda.Client }

func (b byName) Invoke(ctx context.Context, in *awslambda.InvokeInput, options ...func(*awslambda.Options)) (*awslambda.InvokeOutput, error) {
	if strings.HasSuffix(aws.ToString(in.FunctionName), naiveFunction) {
		return b.naive.Invoke(ctx, in, options...)
	}
	return b.other.Invoke(ctx, in, options...)
}
