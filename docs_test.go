package fanmail

import (
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
)

var (
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#{1,6} +(.+?) *$`)
	fence   = regexp.MustCompile("(?ms)^ *```.*?^ *```")
	inline  = regexp.MustCompile("`[^`\n]*`")
)

// page is a Markdown file: where its links go, and what others can link to.
type page struct {
	links   []string
	anchors []string
}

func TestEveryLinkOfThePagesHasATarget(t *testing.T) {
	pages := readPages(t)
	if len(pages) < 5 {
		t.Fatalf("found only %d pages", len(pages))
	}
	checked := 0
	for path, p := range pages {
		for _, target := range p.links {
			u, err := url.Parse(target)
			if err != nil {
				t.Errorf("%s: %s: %v", path, target, err)
				continue
			}
			if u.Scheme != "" {
				continue // the web is not asked
			}
			checked++
			file := path
			if u.Path != "" {
				file = filepath.Join(filepath.Dir(path), u.Path)
			}
			if _, err := os.Stat(file); err != nil {
				t.Errorf("%s: %s: there is no such file", path, target)
				continue
			}
			if other, ok := pages[file]; u.Fragment != "" && (!ok || !slices.Contains(other.anchors, u.Fragment)) {
				t.Errorf("%s: %s: there is no such heading", path, target)
			}
		}
	}
	if checked < 30 {
		t.Errorf("found only %d links", checked)
	}
}

func readPages(t *testing.T) map[string]page {
	t.Helper()
	pages := map[string]page{}
	err := filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (strings.HasPrefix(entry.Name(), ".") && path != "." || entry.Name() == "node_modules" || entry.Name() == "bin"):
			return fs.SkipDir
		case entry.IsDir() || filepath.Ext(path) != ".md":
			return nil
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		text := fence.ReplaceAllString(string(content), "")
		var p page
		for _, m := range heading.FindAllStringSubmatch(text, -1) {
			p.anchors = append(p.anchors, anchor(m[1]))
		}
		for _, m := range link.FindAllStringSubmatch(inline.ReplaceAllString(text, "code"), -1) {
			p.links = append(p.links, m[1])
		}
		pages[path] = p
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return pages
}

// anchor is what GitHub makes of a heading.
func anchor(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r):
			return unicode.ToLower(r)
		}
		return -1
	}, text)
}
