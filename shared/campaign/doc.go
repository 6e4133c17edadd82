// Package campaign reads the folder of a campaign: campaign.yaml, the templates and the attachments that it names. It
// checks all of it and reports every problem at once, each with file, line and field.
package campaign
