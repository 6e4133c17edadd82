package stepfunctions

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// S3API is what an ItemReader and a ResultWriter call; *s3.Client has it.
type S3API interface {
	GetObject(context.Context, *s3.GetObjectInput, ...func(*s3.Options)) (*s3.GetObjectOutput, error)
	PutObject(context.Context, *s3.PutObjectInput, ...func(*s3.Options)) (*s3.PutObjectOutput, error)
}

// itemReader reads a Map's items from an S3 object.
type itemReader struct {
	kind       string
	parameters *template
	headers    []string
	delimiter  rune
	maxItems   int64
}

// itemObject is the object that a run reads.
type itemObject struct{ bucket, key string }

// queuedItems is how far the reader runs ahead of the children, so that DescribeMapRun knows the total early.
const queuedItems = 50_000

var delimiters = map[string]rune{"": ',', "COMMA": ',', "PIPE": '|', "SEMICOLON": ';', "SPACE": ' ', "TAB": '\t'}

func (p *parser) itemReader(at string, value any) *itemReader {
	f := p.object(at, "an ItemReader", value)
	if resource := f.required("Resource"); resource != "arn:aws:states:::s3:getObject" && resource != "" {
		p.refuse(join(at, "Resource"), "reader %s is not supported; only arn:aws:states:::s3:getObject is", resource)
	}
	r := &itemReader{parameters: f.template("Parameters")}
	for _, name := range []string{"Bucket", "Key"} {
		if r.parameters == nil || !r.parameters.has(name) {
			p.refuse(at, "an ItemReader needs %s in Parameters", name)
		}
	}
	if r.parameters != nil {
		for _, field := range r.parameters.object {
			if field.name != "Bucket" && field.name != "Key" {
				p.refuse(join(join(at, "Parameters"), field.name), "parameter %s of an ItemReader is not supported", field.name)
			}
		}
	}
	config, _ := f.take("ReaderConfig")
	c := p.object(join(at, "ReaderConfig"), "a ReaderConfig", config)
	switch r.kind = c.required("InputType"); r.kind {
	case "CSV":
		p.csvReader(c, r)
	case "JSON", "JSONL", "":
	default:
		p.refuse(join(c.at, "InputType"), "input type %s is not supported; JSONL, JSON and CSV are", r.kind)
	}
	r.maxItems = c.whole("MaxItems", 1, 100_000_000, 0)
	c.done()
	f.done()
	return r
}

func (p *parser) csvReader(c *fields, r *itemReader) {
	name, _ := c.text("CSVDelimiter")
	delimiter, ok := delimiters[name]
	if !ok {
		p.refuse(join(c.at, "CSVDelimiter"), "delimiter %s is not supported", name)
	}
	r.delimiter = delimiter
	switch location := c.required("CSVHeaderLocation"); location {
	case "GIVEN":
		for i, entry := range p.entries(c, "CSVHeaders") {
			header, isText := entry.(string)
			if !isText {
				p.refuse(joinIndex(join(c.at, "CSVHeaders"), i), "must be a string")
			}
			r.headers = append(r.headers, header)
		}
		if len(r.headers) == 0 {
			p.refuse(c.at, "CSVHeaderLocation GIVEN needs CSVHeaders")
		}
	case "FIRST_ROW", "":
	default:
		p.refuse(join(c.at, "CSVHeaderLocation"), "header location %s is not supported; FIRST_ROW and GIVEN are", location)
	}
}

func (r *itemReader) object(s *scope) (itemObject, *failure) {
	parameters, f := r.parameters.eval(s)
	if f != nil {
		return itemObject{}, f
	}
	fields := parameters.(map[string]any)
	bucket, okBucket := fields["Bucket"].(string)
	key, okKey := fields["Key"].(string)
	if !okBucket || !okKey {
		return itemObject{}, failf(errRuntime, "Bucket and Key of the ItemReader must be strings, but they are %s", encode(parameters))
	}
	return itemObject{bucket, key}, nil
}
