package storage

import (
	"path"
	"strings"
)

// The layout of the bucket. Users write below campaigns/ and read below reports/; work/ is Fanmail's own.

// CampaignFolder is where the files of a campaign are uploaded.
func CampaignFolder(campaign string) string { return path.Join("campaigns", campaign) }

// ReportFolder holds report.json, outcomes.csv and rejects.csv of a campaign.
func ReportFolder(campaign string) string { return path.Join("reports", campaign) }

// WorkFolder holds the content snapshot, the manifests and the Map results of one execution, given by its ARN.
func WorkFolder(campaign, execution string) string {
	return path.Join("work", campaign, execution[strings.LastIndexByte(execution, ':')+1:])
}
