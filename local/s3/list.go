package s3

import (
	"sort"
	"strings"

	"github.com/johannesboyne/gofakes3"
)

// ListBucket lists a page of objects and common prefixes after page.Marker.
func (s *store) ListBucket(bucketName string, prefix *gofakes3.Prefix, page gofakes3.ListBucketPage) (*gofakes3.ObjectList, error) {
	s.mu.Lock() // not RLock: a listing may sort the keys
	defer s.mu.Unlock()
	b, err := s.bucket(bucketName)
	if err != nil {
		return nil, err
	}
	list := gofakes3.NewObjectList()
	keys := b.sorted()
	start := max(page.Marker, prefix.Prefix)
	last := ""
	for _, key := range keys[sort.SearchStrings(keys, start):] {
		if !strings.HasPrefix(key, prefix.Prefix) {
			break
		}
		item := key
		if prefix.HasDelimiter {
			if rest := key[len(prefix.Prefix):]; strings.Contains(rest, prefix.Delimiter) {
				item = prefix.Prefix + rest[:strings.Index(rest, prefix.Delimiter)+len(prefix.Delimiter)]
			}
		}
		// A marker that is a common prefix stands for all keys below it.
		if item == last || page.HasMarker && item <= page.Marker {
			continue
		}
		if int64(len(list.Contents)+len(list.CommonPrefixes)) >= page.MaxKeys {
			if page.MaxKeys > 0 {
				list.IsTruncated, list.NextMarker = true, last
			}
			break
		}
		last = item
		if item != key {
			list.AddPrefix(item)
			continue
		}
		r := b.objects[key]
		list.Add(&gofakes3.Content{Key: key, LastModified: gofakes3.NewContentTime(r.Modified), ETag: r.etag(), Size: r.Size, StorageClass: "STANDARD"})
	}
	return list, nil
}
