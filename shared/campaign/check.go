package campaign

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"fanmail/shared/schedule"
	"fanmail/shared/template"

	"go.yaml.in/yaml/v3"
)

const (
	// minRate, in recipients per second, gets at least somebody mailed in every wave.
	minRate = 0.01
	// maxRate in recipients per second and maxDailyLimit in recipients are far above what SES grants to anyone: a larger
	// number is a slip of the finger.
	maxRate       = 100_000
	maxDailyLimit = 10_000_000_000
	// maxTags is SES's 50 less the four that Fanmail adds (campaign, id, seq, claim).
	maxTags = 46
	// maxTagLength is of names and of values (MessageTag, SES API v2).
	maxTagLength = 256
	// maxReplyTo keeps the Reply-To header short.
	maxReplyTo = 10
)

var (
	fields = []string{
		"name", "from", "replyTo", "subject", "html", "text", "recipients", "defaults", "rate", "dailyLimit", "window", "tags",
		"attachments", "configurationSet", "inDoubt",
	}
	namePattern = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,63}$`)
	wordPattern = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)
)

// ValidName tells whether a campaign can have the name.
func ValidName(name string) bool { return namePattern.MatchString(name) }

// ValidRate tells whether a campaign can have the rate, in recipients per second.
func ValidRate(rate float64) bool { return rate >= minRate && rate <= maxRate }

// ValidLiveRate tells whether a campaign that runs can be given the rate; 0 is the account's own.
func ValidLiveRate(rate float64) bool { return rate == 0 || ValidRate(rate) }

// LiveRateRule says what a rate that is not ValidLiveRate must be.
var LiveRateRule = fmt.Sprintf("it must be %v to %d recipients per second, or 0 for the account's own", minRate, maxRate)

// campaign reads and checks every field; folder is the name of the folder, or empty.
func (d *decoder) campaign(folder string) {
	c := &d.result
	c.Name, c.Recipients, c.InDoubt = folder, "recipients.csv", Prove
	if folder != "" && !ValidName(folder) {
		d.problem("name", 0, "the folder's name %q must be 1 to 64 of a-z, 0-9 and -, the first no -", folder)
	}
	if d.root == nil {
		return
	}
	d.mapping("", d.root, fields, func(key string, value *yaml.Node) { d.field(c, folder, key, value) })
	for _, required := range []string{"from", "subject"} {
		if d.lines[required] == 0 {
			d.problem(required, 0, "is required")
		}
	}
	if c.Name == "" && d.lines["name"] == 0 {
		d.problem("name", 0, "is required where the folder's name is not known")
	}
	if d.lines["html"] == 0 && d.lines["text"] == 0 {
		d.problem("html", 0, "html or text is required: the file of a template")
	}
}

func (d *decoder) field(c *Campaign, folder, key string, value *yaml.Node) {
	switch key {
	case "name":
		if name, ok := d.line(key, value); ok {
			d.name(name, folder, value.Line)
		}
	case "from":
		if text, ok := d.line(key, value); ok {
			c.From = d.mailbox(key, text, value.Line)
		}
	case "replyTo":
		for _, item := range d.texts(key, value) {
			c.ReplyTo = append(c.ReplyTo, d.mailbox(key, item.text, item.line))
		}
		if len(c.ReplyTo) > maxReplyTo {
			d.problem(key, value.Line, "more than %d addresses", maxReplyTo)
		}
	case "subject":
		if text, ok := d.line(key, value); ok {
			c.Subject = text
		}
	case "html":
		c.HTML = d.file(key, value)
	case "text":
		c.Text = d.file(key, value)
	case "recipients":
		c.Recipients = d.file(key, value)
	case "defaults":
		c.Defaults = map[string]string{}
		d.table(key, value, func(name, text string, _ int) { c.Defaults[name] = text })
	case "rate":
		c.Rate = d.rate(key, value)
	case "dailyLimit":
		c.DailyLimit = d.dailyLimit(key, value)
	case "window":
		c.Window = d.window(key, value)
	case "tags":
		c.Tags = d.tags(key, value)
	case "attachments":
		for _, item := range d.texts(key, value) {
			if file, ok := d.fileName(key, item.text, item.line); ok {
				c.Attachments = append(c.Attachments, file)
			}
		}
	case "inDoubt":
		if text, ok := d.text(key, value); ok {
			c.InDoubt = DoubtRule(text)
			if !slices.Contains(doubtRules, c.InDoubt) {
				d.problem(key, value.Line, "%q must be one of %v", text, doubtRules)
			}
		}
	case "configurationSet":
		c.ConfigurationSet, _ = d.line(key, value)
		if c.ConfigurationSet != "" && (!wordPattern.MatchString(c.ConfigurationSet) || len(c.ConfigurationSet) > 64) {
			d.problem(key, value.Line, "%q must be 1 to 64 of A-Z, a-z, 0-9, _ and -", c.ConfigurationSet)
		}
	}
}

// line reads a text that is neither empty nor longer than a line; false after a problem.
func (d *decoder) line(field string, node *yaml.Node) (string, bool) {
	text, ok := d.text(field, node)
	if !ok {
		return "", false
	}
	return text, d.checkLine(field, text, node.Line)
}

func (d *decoder) checkLine(field, text string, line int) bool {
	switch {
	case strings.TrimSpace(text) == "":
		d.problem(field, line, "is empty")
	case !template.SingleLine(text):
		d.problem(field, line, "has a line break or control character, which a mail header can't have")
	default:
		return true
	}
	return false
}

func (d *decoder) name(name, folder string, line int) {
	switch {
	case !ValidName(name):
		d.problem("name", line, "%q must be 1 to 64 of a-z, 0-9 and -, the first no -", name)
	case folder != "" && name != folder && !schedule.IsRun(folder, name):
		d.problem("name", line, "%s is not the folder's name, %s: leave it out or make them the same", name, folder)
	case folder == "":
		d.result.Name = name
	}
}

func (d *decoder) file(field string, node *yaml.Node) string {
	text, ok := d.text(field, node)
	if !ok {
		return ""
	}
	file, _ := d.fileName(field, text, node.Line)
	return file
}

// fileName checks that a name stays inside the folder; false after a problem.
func (d *decoder) fileName(field, name string, line int) (string, bool) {
	if !d.checkLine(field, name, line) {
		return "", false
	}
	clean := path.Clean(name)
	if strings.Contains(name, `\`) || path.IsAbs(name) || clean == ".." || strings.HasPrefix(clean, "../") || clean == "." {
		d.problem(field, line, "%q must name a file inside the campaign's folder, with / between folders", name)
		return "", false
	}
	return clean, true
}

func (d *decoder) rate(field string, node *yaml.Node) float64 {
	text, ok := d.text(field, node)
	if !ok {
		return 0
	}
	rate, err := strconv.ParseFloat(text, 64)
	if err != nil || !ValidRate(rate) {
		d.problem(field, node.Line, "%q must be a number of recipients per second, from %v to %d; leave it out for the account's own rate",
			text, minRate, maxRate)
		return 0
	}
	return rate
}

func (d *decoder) dailyLimit(field string, node *yaml.Node) int64 {
	text, ok := d.text(field, node)
	if !ok {
		return 0
	}
	limit, err := strconv.ParseInt(text, 10, 64)
	if err != nil || limit < 1 || limit > maxDailyLimit {
		d.problem(field, node.Line, "%q must be a whole number of recipients per 24 hours, from 1 to %d; leave it out for none", text, int64(maxDailyLimit))
		return 0
	}
	return limit
}
