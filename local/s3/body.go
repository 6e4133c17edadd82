package s3

import (
	"bufio"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"hash/crc64"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/johannesboyne/gofakes3"
)

// checksums are the algorithms of S3 by the end of their header's name.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html
var checksums = map[string]func() hash.Hash{
	"crc32":     func() hash.Hash { return crc32.NewIEEE() },
	"crc32c":    func() hash.Hash { return crc32.New(crc32.MakeTable(crc32.Castagnoli)) },
	"crc64nvme": func() hash.Hash { return crc64.New(crc64.MakeTable(0x9a6c9329ac4bc9b5)) },
	"sha1":      sha1.New,
	"sha256":    sha256.New,
	"sha512":    sha512.New,
}

const checksumPrefix = "X-Amz-Checksum-"

// openBody makes the body of an upload a plain one: it takes off the aws-chunked encoding and verifies the checksum,
// whether it stands in a header or in a trailer. A wrong one fails the read at its end with BadDigest.
// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html
func openBody(r *http.Request) error {
	var trailer http.Header
	if strings.HasPrefix(r.Header.Get("X-Amz-Content-Sha256"), "STREAMING-") {
		size, err := strconv.ParseInt(r.Header.Get("X-Amz-Decoded-Content-Length"), 10, 64)
		if err != nil || size < 0 {
			return errors.New("X-Amz-Decoded-Content-Length must be the size of the object in bytes")
		}
		trailer = http.Header{}
		r.Body = body{newChunked(r.Body, trailer), r.Body}
		r.ContentLength = size
		r.Header.Set("Content-Length", strconv.FormatInt(size, 10))
		r.Header.Set("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD") // or the library would decode it again
		removeEncoding(r.Header)
	}
	// An UploadPartCopy or CopyObject has no body to verify.
	if r.Header.Get("X-Amz-Copy-Source") != "" {
		return nil
	}
	for name, algorithm := range checksums {
		header := http.CanonicalHeaderKey(checksumPrefix + name)
		expected := func() string { return r.Header.Get(header) }
		if strings.EqualFold(r.Header.Get("X-Amz-Trailer"), header) {
			expected = func() string { return trailer.Get(header) }
		} else if expected() == "" {
			continue
		}
		r.Body = body{&verifier{reader: r.Body, hash: algorithm(), header: header, expected: expected}, r.Body}
	}
	return nil
}

func removeEncoding(header http.Header) {
	var rest []string
	for encoding := range strings.SplitSeq(strings.Join(header.Values("Content-Encoding"), ","), ",") {
		if encoding = strings.TrimSpace(encoding); encoding != "" && encoding != "aws-chunked" {
			rest = append(rest, encoding)
		}
	}
	header.Del("Content-Encoding")
	if len(rest) > 0 {
		header.Set("Content-Encoding", strings.Join(rest, ","))
	}
}

// body reads from one and closes the other.
type body struct {
	io.Reader
	io.Closer
}

// verifier compares the checksum of what was read when the end is reached.
type verifier struct {
	reader   io.Reader
	hash     hash.Hash
	header   string
	expected func() string
}

func (v *verifier) Read(p []byte) (int, error) {
	n, err := v.reader.Read(p)
	v.hash.Write(p[:n])
	if err == io.EOF {
		if sum := base64.StdEncoding.EncodeToString(v.hash.Sum(nil)); sum != v.expected() {
			return n, gofakes3.ErrorMessage(gofakes3.ErrBadDigest, fmt.Sprintf("The %s you specified did not match the calculated checksum.", strings.ToLower(v.header)))
		}
	}
	return n, err
}

// chunked decodes aws-chunked: chunks of "<hex size>[;chunk-signature=...]\r\n<data>\r\n", one of size 0, trailer lines.
type chunked struct {
	reader  *bufio.Reader
	trailer http.Header
	// left is what remains of the current chunk; -1 at the end of the body.
	left    int64
	started bool
}

func newChunked(r io.Reader, trailer http.Header) *chunked {
	return &chunked{reader: bufio.NewReaderSize(r, 32<<10), trailer: trailer}
}

func (c *chunked) Read(p []byte) (int, error) {
	if c.left == 0 {
		if err := c.next(); err != nil {
			return 0, err
		}
	}
	if c.left < 0 {
		return 0, io.EOF
	}
	n, err := c.reader.Read(p[:min(int64(len(p)), c.left)])
	c.left -= int64(n)
	if err == io.EOF {
		err = gofakes3.ErrIncompleteBody
	}
	return n, err
}

// next reads the head of the next chunk, or the trailer after the last.
func (c *chunked) next() error {
	if c.started {
		if line, err := c.line(); err != nil || line != "" {
			return gofakes3.ErrIncompleteBody
		}
	}
	c.started = true
	line, err := c.line()
	if err != nil {
		return gofakes3.ErrIncompleteBody
	}
	digits, _, _ := strings.Cut(line, ";")
	size, err := strconv.ParseInt(strings.TrimSpace(digits), 16, 64)
	if err != nil || size < 0 {
		return gofakes3.ErrorMessage(gofakes3.ErrIncompleteBody, "The size of a chunk is not a hexadecimal number.")
	}
	if c.left = size; size > 0 {
		return nil
	}
	c.left = -1
	for {
		line, err := c.line()
		if name, value, ok := strings.Cut(line, ":"); ok {
			c.trailer.Set(strings.TrimSpace(name), strings.TrimSpace(value))
		}
		if err == io.EOF || err == nil && line == "" {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// line reads a line of at most the buffer's size, without its end.
func (c *chunked) line() (string, error) {
	line, err := c.reader.ReadSlice('\n')
	return strings.TrimRight(string(line), "\r\n"), err
}
