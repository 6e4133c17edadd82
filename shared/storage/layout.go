package storage

import (
	"path"
	"regexp"
	"strings"
)

// The layout of the bucket. Users write below campaigns/ and read below reports/; work/ and frozen/ are Fanmail's own.

// CampaignFolder is where the files of a campaign are uploaded.
func CampaignFolder(campaign string) string { return path.Join("campaigns", campaign) }

// FrozenFolder is where the files of a campaign lie as they were checked when it was scheduled. The id is [a-z0-9-].
func FrozenFolder(campaign, id string) string { return path.Join("frozen", campaign, id) }

var frozenID = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,63}$`)

// MayRead tells whether an execution of a campaign may be told to read a folder: its own, or a frozen copy of that.
func MayRead(campaign, folder string) bool {
	id, frozen := strings.CutPrefix(folder, FrozenFolder(campaign, "")+"/")
	return folder == CampaignFolder(campaign) || frozen && frozenID.MatchString(id)
}

// ReportFolder holds report.json, outcomes.csv and rejects.csv of a campaign.
func ReportFolder(campaign string) string { return path.Join("reports", campaign) }

// WorkFolder holds the content snapshot, the manifests and the Map results of one execution, given by its ARN.
func WorkFolder(campaign, execution string) string {
	return path.Join("work", campaign, execution[strings.LastIndexByte(execution, ':')+1:])
}
