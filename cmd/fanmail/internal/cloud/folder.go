package cloud

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"fanmail/shared/deployment"
)

// RemoveFolder deletes all objects of a folder. In a bucket with versions, older versions stay until its lifecycle
// takes them.
func (c *Cloud) RemoveFolder(ctx context.Context, folder string) error {
	prefix := folder + "/"
	bucket, err := c.output(ctx, deployment.Bucket)
	if err != nil {
		return err
	}
	doing := fmt.Sprintf("removing s3://%s/%s", bucket, prefix)
	pages := s3.NewListObjectsV2Paginator(c.s3, &s3.ListObjectsV2Input{Bucket: &bucket, Prefix: &prefix})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return c.explain(ctx, doing, err)
		}
		for _, object := range page.Contents {
			if _, err := c.s3.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &bucket, Key: object.Key}); err != nil {
				return c.explain(ctx, doing, err)
			}
		}
	}
	return nil
}
