package s3

import (
	"maps"
	"slices"
	"strings"

	"github.com/johannesboyne/gofakes3"
)

// ListParts lists the parts after marker.
func (s *store) ListParts(bucketName, key string, id gofakes3.UploadID, marker int, limit int64) (*gofakes3.ListMultipartUploadPartsResult, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	u, err := s.upload(bucketName, key, id)
	if err != nil {
		return nil, err
	}
	list := &gofakes3.ListMultipartUploadPartsResult{Bucket: bucketName, Key: key, UploadID: id, MaxParts: limit, PartNumberMarker: marker, StorageClass: "STANDARD"}
	for _, number := range slices.Sorted(maps.Keys(u.parts)) {
		if number <= marker {
			continue
		}
		if int64(len(list.Parts)) >= limit {
			list.IsTruncated, list.NextPartNumberMarker = true, list.Parts[len(list.Parts)-1].PartNumber
			break
		}
		part := u.parts[number]
		list.Parts = append(list.Parts, gofakes3.ListMultipartUploadPartItem{PartNumber: number, ETag: part.etag(), Size: part.Size, LastModified: gofakes3.NewContentTime(part.Modified)})
	}
	return list, nil
}

// ListMultipartUploads lists the uploads that are not completed, by key and start, without common prefixes.
func (s *store) ListMultipartUploads(bucketName string, marker *gofakes3.UploadListMarker, prefix gofakes3.Prefix, limit int64) (*gofakes3.ListMultipartUploadsResult, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	uploads := slices.SortedFunc(maps.Values(s.uploads), func(a, b *upload) int {
		if order := strings.Compare(a.key, b.key); order != 0 {
			return order
		}
		return strings.Compare(string(a.id), string(b.id))
	})
	list := &gofakes3.ListMultipartUploadsResult{Bucket: bucketName, Prefix: prefix.Prefix, MaxUploads: limit}
	for _, u := range uploads {
		if u.bucket != bucketName || !strings.HasPrefix(u.key, prefix.Prefix) ||
			marker != nil && (u.key < marker.Object || u.key == marker.Object && u.id <= marker.UploadID) {
			continue
		}
		if int64(len(list.Uploads)) >= limit {
			last := list.Uploads[len(list.Uploads)-1]
			list.IsTruncated, list.NextKeyMarker, list.NextUploadIDMarker = true, last.Key, last.UploadID
			break
		}
		list.Uploads = append(list.Uploads, gofakes3.ListMultipartUploadItem{Key: u.key, UploadID: u.id, StorageClass: "STANDARD", Initiated: gofakes3.NewContentTime(u.started)})
	}
	return list, nil
}
