package ledger_test

import (
	"net/url"
	"testing"

	"github.com/google/uuid"

	"fanmail/local/postgres/postgrestest"
	"fanmail/shared/ledger"
)

func TestExamineAnswersWhateverTheSchemaIsLike(t *testing.T) {
	address, err := url.Parse(postgrestest.New(t))
	if err != nil {
		t.Fatal(err)
	}
	admin := connect(t, address)
	name := "role_of" + address.Path[1:]
	execute := func(statements ...string) {
		t.Helper()
		for _, statement := range statements {
			if _, err := admin.ExecContext(t.Context(), statement); err != nil {
				t.Fatalf("%s: %v", statement, err)
			}
		}
	}
	execute("create role " + name + " login password 'secret' connection limit 7")
	defer execute("drop owned by "+name, "drop role "+name)
	limited := *address
	limited.User = url.UserPassword(name, "secret")
	latest, err := ledger.LatestSchema()
	if err != nil {
		t.Fatal(err)
	}
	t.Run("as the functions' role", func(t *testing.T) {
		db := connect(t, &limited)
		check := func(what, schema string, settingsInOrder bool) {
			t.Helper()
			d, err := ledger.Examine(t.Context(), db, uuid.New())
			if err != nil {
				t.Fatalf("%s: %v", what, err)
			}
			if d.SchemaVersion != schema || d.LatestSchema != latest || (len(d.SettingsMissing) == 0) != settingsInOrder ||
				d.RoleName != name || d.VersionNumber < 140000 || d.OwnConnections != 1 || d.Clock.IsZero() || !d.WitnessedAt.IsZero() {
				t.Errorf("%s: %+v", what, d)
			}
		}
		check("nothing is there", "", false)
		if _, err := ledger.Migrate(t.Context(), admin); err != nil {
			t.Fatal(err)
		}
		check("the role has no rights", "", false)
		if _, _, err := (ledger.Role{Name: name, Password: "secret", ConnectionLimit: 7}).Limit(t.Context(), admin); err != nil {
			t.Fatal(err)
		}
		check("all is in order", latest, true)
		execute("delete from fanmail.migration where name = '"+latest+"'", "drop table fanmail.proof")
		var before string
		if err := admin.NewRaw("select max(name) from fanmail.migration").Scan(t.Context(), &before); err != nil {
			t.Fatal(err)
		}
		check("the last migration is missing", before, true)
		execute("drop schema fanmail cascade")
		check("the schema was dropped", "", true)
	})
}
