package importer

import (
	"strings"
	"testing"
	"text/template"
)

func TestEveryPathGetsAColumnOfItsOwn(t *testing.T) {
	for _, c := range []struct {
		format Format
		paths  string
		want   string
	}{
		{Pinpoint, "Attributes.City", "email City"},
		{Pinpoint, "Attributes.City User.UserAttributes.City User.City", "email Attributes_City City User_UserAttributes_City"},
		{Pinpoint, "Attributes.a.b Attributes.a-b Attributes_a_b", "email Attributes_a_b Attributes_a_b_2 a_b"},
		{Pinpoint, "Attributes.email User.UserAttributes.EMAIL", "email Attributes_email User_UserAttributes_EMAIL"},
		{Pinpoint, "email Attributes.", "email email_2"},
		{Pinpoint, "Address ChannelType OptOut EndpointStatus Id ApplicationId CohortId RequestId CreationDate EffectiveDate", "email"},
		{Listmonk, "email status created_at updated_at name attributes.name attributes.1st attributes.도시", "email _1st attributes_name name 도시"},
	} {
		all := columns{}
		for _, path := range strings.Fields(c.paths) {
			all[path] = struct{}{}
		}
		named, err := all.named(c.format)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, column := range named {
			names = append(names, column.Name)
		}
		same(t, c.paths, strings.Join(names, " "), c.want)
	}
}

func TestTooManyColumnsAreRefused(t *testing.T) {
	all := columns{}
	for i := range 1000 {
		all["Attributes."+strings.Repeat("x", 50)+string(rune('가'+i))] = struct{}{}
	}
	if _, err := all.named(Pinpoint); err == nil {
		t.Error("they were taken")
	}
}

// The names stand in templates as {{.name}}.
func TestANameIsOneOfATemplate(t *testing.T) {
	for _, path := range []string{"First Name", "1", "٣", "", "a.b", "도시", "🎉", "\xff", "x\u0301", "-"} {
		name := identifier(path)
		if _, err := template.New("").Parse("{{." + name + "}}"); err != nil {
			t.Errorf("%q becomes %q: %v", path, name, err)
		}
	}
}
