package s3

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/johannesboyne/gofakes3"
)

const (
	recordSuffix  = ".json"
	contentSuffix = ".content"
	// checksumHeader lets SDKs verify what they read, which they do by default.
	checksumHeader     = "X-Amz-Checksum-Crc32"
	checksumTypeHeader = "X-Amz-Checksum-Type"
)

// record is what is known of an object beside its content.
type record struct {
	Key      string            `json:"key"`
	File     string            `json:"file"`
	Size     int64             `json:"size"`
	MD5      []byte            `json:"md5"`
	CRC32    []byte            `json:"crc32"`
	Parts    int               `json:"parts,omitempty"`
	Modified time.Time         `json:"modified"`
	Metadata map[string]string `json:"metadata"`
}

// etag is the quoted ETag: the MD5 of the content, or for an upload in n parts the MD5 of the parts' MD5s and "-n".
func (r *record) etag() string {
	if r.Parts > 0 {
		return fmt.Sprintf(`"%s-%d"`, hex.EncodeToString(r.MD5), r.Parts)
	}
	return gofakes3.FormatETag(r.MD5)
}

// object is the record in the library's form; the metadata become headers of the response.
func (r *record) object(whole bool) *gofakes3.Object {
	metadata := map[string]string{etagHeader: r.etag()}
	for name, value := range r.Metadata {
		metadata[name] = value
	}
	if whole { // a checksum beside a part of the content would make SDKs fail
		metadata[checksumHeader] = base64.StdEncoding.EncodeToString(r.CRC32)
		metadata[checksumTypeHeader] = "FULL_OBJECT"
	}
	return &gofakes3.Object{Name: r.Key, Metadata: metadata, Size: r.Size, Hash: r.MD5, Contents: http.NoBody}
}

func (r *record) save(path string) error {
	data, err := json.Marshal(r)
	if err != nil {
		return err
	}
	if err := os.WriteFile(path+".new", data, 0o644); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

// holds checks If-Match and If-None-Match of a write against the object that is there, if any.
func holds(conditions *gofakes3.PutConditions, old *record) error {
	switch {
	case conditions == nil:
		return nil
	case conditions.IfNoneMatch != nil && old != nil && (*conditions.IfNoneMatch == "*" || sameETag(*conditions.IfNoneMatch, old.etag())):
		return gofakes3.ErrorMessage(gofakes3.ErrPreconditionFailed, "At least one of the pre-conditions you specified did not hold")
	case conditions.IfMatch != nil && old == nil:
		return gofakes3.ErrorMessage(gofakes3.ErrNoSuchKey, "The specified key does not exist.")
	case conditions.IfMatch != nil && !sameETag(*conditions.IfMatch, old.etag()):
		return gofakes3.ErrorMessage(gofakes3.ErrPreconditionFailed, "At least one of the pre-conditions you specified did not hold")
	}
	return nil
}

// name is the file name for a key: any key makes a valid one, and no two the same.
func name(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:])
}

// kept are the headers of an upload that belong to the object.
func kept(meta map[string]string) map[string]string {
	kept := map[string]string{}
	for header, value := range meta {
		if strings.HasPrefix(header, "X-Amz-Meta-") || header == "Last-Modified" || strings.HasPrefix(header, "Content-") {
			kept[header] = value
		}
	}
	return kept
}

func remove(path string) error {
	if err := os.Remove(path); err != nil && !isNotThere(err) {
		return err
	}
	return nil
}
