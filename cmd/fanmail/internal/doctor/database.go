package doctor

import (
	"errors"
	"fmt"
	"strings"

	"fanmail/cmd/fanmail/internal/cloud"
	"fanmail/shared/budget"
	"fanmail/shared/workflow"
)

const (
	// migrate brings tables and role to what the functions know.
	migrate   = "fanmail migrate"
	redeploy  = "deploy the functions of this version again: make deploy STAGE=..."
	way       = "the functions' security group and subnets must reach PostgreSQL's port"
	logFormat = "the function's log has more: aws logs tail /aws/lambda/%s --since 15m"
)

// judgeAnswer judges the error of the control function, which is asked for the database.
func judgeAnswer(err error, function string) Verdict {
	short := function[strings.LastIndex(function, ":")+1:]
	logs := fmt.Sprintf(logFormat, short)
	answer, ok := errors.AsType[*cloud.FunctionError](err)
	if !ok {
		return refused(err, "lambda:InvokeFunction", "fanmail whoami shows which deployment is asked; "+redeploy)
	}
	switch answer.Type {
	case "DatabaseFailed":
		return failed(answer.Message,
			"correct what the line names: the server, or a database... parameter of the deployment; then deploy again", logs)
	case "Interrupted":
		return failed(answer.Message, "start the server, or open the way to it: "+way, logs)
	case "DatabaseBusy":
		return failed(answer.Message, migrate,
			"or end sessions that nobody needs: select pid, usename, application_name, state from pg_stat_activity")
	case "InvalidRequest":
		return failed("the deployed functions are older than this program: "+answer.Message, redeploy)
	}
	if strings.Contains(answer.Message, "Task timed out") {
		return failed("the function "+short+" has no answer from PostgreSQL or from AWS: "+answer.Message,
			way+", and the subnets need a NAT gateway or VPC endpoints", logs)
	}
	return failed(answer.Message, logs)
}

func judgeSchema(d workflow.Database) Verdict {
	switch {
	case d.SchemaVersion == "":
		return failed("the database has no tables of Fanmail, or "+d.RoleName+" may not read them", migrate)
	case d.SchemaVersion < d.LatestSchema:
		return failed(fmt.Sprintf("the tables are as of %s, the functions need %s",
			d.SchemaVersion, d.LatestSchema), migrate)
	case d.SchemaVersion > d.LatestSchema:
		return failed(fmt.Sprintf("the tables are as of %s, the functions know %s only",
			d.SchemaVersion, d.LatestSchema),
			"deploy the version that made these tables, or a later one")
	}
	return passed("the tables are as of %s", d.SchemaVersion)
}

func judgeRoleLimit(d workflow.Database) Verdict {
	finding := fmt.Sprintf("the role %s may hold %d connections, the bound is %d", d.RoleName, d.RoleLimit, d.Bound)
	switch {
	case d.RoleLimit < 0:
		return failed(fmt.Sprintf("the role %s may hold any number of connections, the bound is %d",
			d.RoleName, d.Bound), migrate)
	case d.RoleLimit < d.Bound:
		return failed(finding+": functions would be refused", migrate)
	case d.RoleLimit > d.Bound:
		return failed(finding+": the server would not stop an overshoot", migrate)
	}
	return passed("%s, and %d are in use", finding, d.OwnConnections)
}

func judgeRoleSettings(d workflow.Database) Verdict {
	if len(d.SettingsMissing) > 0 {
		return failed(fmt.Sprintf("the role %s lacks %s: sessions that are left behind keep their connection",
			d.RoleName, strings.Join(d.SettingsMissing, ", ")), migrate)
	}
	return passed("sessions that are left behind end by themselves")
}

// judgeConnections holds the bound against what the server has for the functions now. senders is how many of the bound
// are senders.
func judgeConnections(d workflow.Database, senders int) Verdict {
	server := budget.Server{
		MaxConnections: d.MaxConnections, Reserved: d.Reserved, Others: d.OthersConnections, RoleLimit: -1,
	}
	have := max(0, server.Allowed())
	finding := fmt.Sprintf("the server has %d connections for the functions "+
		"(max_connections %d, %d reserved, %d held by others, %d spare for them), the bound is %d",
		have, d.MaxConnections, d.Reserved, d.OthersConnections, server.Spare(), d.Bound)
	next := []string{"raise max_connections (a larger instance has more), or end sessions of others",
		"fanmail budget shows the sum"}
	switch left := have - (d.Bound - senders); {
	case left >= senders:
		return passed("%s", finding)
	case left < 1:
		return failed(finding+": no sender would start", next...)
	default:
		return warned(fmt.Sprintf("%s: %d of %d senders would start", finding, left, senders), next...)
	}
}
