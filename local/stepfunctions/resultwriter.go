package stepfunctions

import (
	"bytes"
	"context"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

func (p *parser) resultWriter(at string, value any) *template {
	f := p.object(at, "a ResultWriter", value)
	if resource := f.required("Resource"); resource != "arn:aws:states:::s3:putObject" && resource != "" {
		p.refuse(join(at, "Resource"), "writer %s is not supported; only arn:aws:states:::s3:putObject is", resource)
	}
	parameters := f.template("Parameters")
	if parameters == nil || !parameters.has("Bucket") {
		p.refuse(at, "a ResultWriter needs Bucket in Parameters")
		parameters = &template{}
	}
	for _, field := range parameters.object {
		if field.name != "Bucket" && field.name != "Prefix" {
			p.refuse(join(join(at, "Parameters"), field.name), "parameter %s of a ResultWriter is not supported", field.name)
		}
	}
	f.done()
	return parameters
}

// destination is the bucket and the prefix, "" or ending in a slash, of a ResultWriter.
func destination(parameters *template, s *scope) (bucket, prefix string, f *failure) {
	value, f := parameters.eval(s)
	if f != nil {
		return "", "", f
	}
	fields := value.(map[string]any)
	bucket, okBucket := fields["Bucket"].(string)
	prefix, okPrefix := fields["Prefix"].(string)
	if _, given := fields["Prefix"]; !okBucket || given && !okPrefix {
		return "", "", failf(errRuntime, "Bucket and Prefix of the ResultWriter must be strings, but they are %s", encode(value))
	}
	if prefix != "" && !strings.HasSuffix(prefix, "/") {
		prefix += "/"
	}
	return bucket, prefix, nil
}

// record is what result files show of a child: DescribeExecution's fields, capitalised.
func (e *execution) record() map[string]any {
	s := e.snapshot()
	out := map[string]any{
		"ExecutionArn": e.arn(), "Name": e.name, "StateMachineArn": e.machineARN(), "Status": s.status,
		"Input": s.input, "InputDetails": map[string]any{"Included": true},
		"StartDate": iso(e.start), "StopDate": iso(s.stop),
		"RedriveCount": 0, "RedriveStatus": notRedrivable, "RedriveStatusReason": redriveReason(s.status),
	}
	if s.status == succeeded {
		out["Output"], out["OutputDetails"] = s.output, map[string]any{"Included": true}
	}
	if s.failure != nil {
		out["Error"], out["Cause"] = s.failure.name, s.failure.cause
	}
	return out
}

// write puts the children's results into SUCCEEDED_n.json and FAILED_n.json and then manifest.json, and gives the Map's
// result that names the manifest.
func (r *mapRun) write(ctx context.Context) (any, *failure) {
	folder := r.prefix + r.id + "/"
	files := map[string][]any{"FAILED": {}, "PENDING": {}, "SUCCEEDED": {}}
	for _, kind := range []string{"SUCCEEDED", "FAILED"} {
		var text bytes.Buffer
		flush := func() *failure {
			if text.Len() == 0 {
				return nil
			}
			text.WriteByte(']')
			key := folder + kind + "_" + strconv.Itoa(len(files[kind])) + ".json"
			files[kind] = append(files[kind], map[string]any{"Key": key, "Size": text.Len()})
			defer text.Reset()
			return r.put(ctx, key, text.Bytes())
		}
		for _, child := range r.children {
			if (child.currentStatus() == succeeded) != (kind == "SUCCEEDED") {
				continue
			}
			if text.Len() == 0 {
				text.WriteByte('[')
			} else {
				text.WriteByte(',')
			}
			text.WriteString(encode(child.record()))
			r.mu.Lock()
			r.written++
			r.mu.Unlock()
			if text.Len() >= resultFileBytes {
				if f := flush(); f != nil {
					return nil, f
				}
			}
		}
		if f := flush(); f != nil {
			return nil, f
		}
	}
	key := folder + "manifest.json"
	manifest := map[string]any{"DestinationBucket": r.bucket, "MapRunArn": r.arn(), "ResultFiles": files}
	if f := r.put(ctx, key, []byte(encode(manifest))); f != nil {
		return nil, f
	}
	return map[string]any{
		"MapRunArn": r.arn(), "ResultWriterDetails": map[string]any{"Bucket": r.bucket, "Key": key},
	}, nil
}

func (r *mapRun) put(ctx context.Context, key string, text []byte) *failure {
	_, err := r.service.s3.PutObject(ctx, &s3.PutObjectInput{
		Bucket: &r.bucket, Key: &key, Body: bytes.NewReader(text), ContentType: aws.String("application/json"),
	})
	if err != nil {
		return failf(errResultWriterFailed, "Writing s3://%s/%s: %v", r.bucket, key, err)
	}
	return nil
}
