package serverless

import (
	"regexp"
	"slices"
	"strings"

	"fanmail/shared/storage"
)

const (
	getSecret = "secretsmanager:GetSecretValue"
	connect   = "rds-db:connect"
	decrypt   = "kms:Decrypt"
)

// ofLambda are the calls that Lambda makes for a function, with the function's role.
// https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html
var (
	forLogs    = []string{"logs:CreateLogStream", "logs:PutLogEvents"}
	forTraces  = []string{"xray:PutTraceSegments", "xray:PutTelemetryRecords"}
	forPollers = []string{"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"}
	inSubnets  = []string{
		"ec2:CreateNetworkInterface", "ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets", "ec2:DeleteNetworkInterface",
		"ec2:AssignPrivateIpAddresses", "ec2:UnassignPrivateIpAddresses",
	}
)

// needed are the actions that the role of a function must allow in this variant.
func (v variant) needed(key string) []string {
	needed := slices.Concat(forLogs, forTraces)
	for action := range v.code[key].calls {
		if action != getSecret && action != connect {
			needed = append(needed, action)
		}
	}
	secret := v.auth() == "secret" || key == "migrate" && v.parameters["databaseAdminSecretArn"] != ""
	switch {
	case v.auth() == "iam":
		needed = append(needed, connect)
	case secret:
		needed = append(needed, getSecret)
	}
	if secret && v.parameters["secretKeyArns"] != "" {
		needed = append(needed, decrypt)
	}
	// Without ListBucket S3 answers AccessDenied for a file that is missing.
	if v.code[key].mentions["storage.Missing"] {
		needed = append(needed, "s3:ListBucket")
	}
	for _, f := range v.functions {
		if f.Key == key && f.EventSource != nil {
			needed = append(needed, forPollers...)
		}
	}
	if v.inVPC() {
		needed = append(needed, inSubnets...)
	}
	return needed
}

func (v variant) statements(key string) (all []object) {
	for _, policy := range v.properties(titled(key) + "Role").objects("Policies") {
		all = append(all, policy.object("PolicyDocument").objects("Statement")...)
	}
	return all
}

func actionsAreCalled(v variant) (wrong []string) {
	f := (*findings)(&wrong)
	for _, function := range v.functions {
		role := attributeOf(v.properties(logicalName(function.Key))["Role"])
		f.check(role == titled(function.Key)+"Role", "function %s has the role %q", function.Key, role)
		p := v.properties(role)
		f.check(len(p.objects("Policies")) == 1 && !p.has("ManagedPolicyArns"),
			"the role of %s has other policies than its own", function.Key)
		trust := only(object{"PolicyDocument": p["AssumeRolePolicyDocument"]})
		f.check(
			trust.text("Action") == "sts:AssumeRole" && len(trust.object("Principal")) == 1 &&
				trust.object("Principal").text("Service") == "lambda.amazonaws.com",
			"the role of %s is not Lambda's alone",
			function.Key,
		)
		var allowed []string
		for _, statement := range v.statements(function.Key) {
			if statement.text("Effect") == "Allow" {
				allowed = append(allowed, statement.texts("Action")...)
			}
		}
		needed := v.needed(function.Key)
		for _, action := range unique(needed) {
			f.check(slices.Contains(allowed, action), "function %s calls %s, which it may not do", function.Key,
				action)
		}
		for _, action := range unique(allowed) {
			f.check(slices.Contains(needed, action), "function %s may do %s, which it does not call", function.Key,
				action)
		}
		f.check(len(unique(allowed)) == len(allowed), "function %s has two statements for one action", function.Key)
	}
	return wrong
}

// unlimited are the actions for which AWS knows no resource, or none that can be named in advance.
var unlimited = slices.Concat([]string{"ses:GetAccount"}, forTraces, inSubnets)

// folders are what the functions of storage/layout.go begin with.
var folders = map[string]string{
	"storage.CampaignFolder": root(storage.CampaignFolder("x")),
	"storage.ReportFolder":   root(storage.ReportFolder("x")),
	"storage.WorkFolder":     root(storage.WorkFolder("x", "x:x")),
}

func root(path string) string { return strings.Split(path, "/")[0] }

// handed are folders whose names a function does not work out itself.
var handed = map[string][]string{
	"prepare": {"frozen"}, // the folder in the input of a scheduled execution
	"send":    {"work"},   // the content snapshot, which Prepare wrote
}

func resourcesAreNamed(v variant) (wrong []string) {
	f := (*findings)(&wrong)
	for _, function := range v.functions {
		granted := map[string]bool{}
		for _, statement := range v.statements(function.Key) {
			if statement.text("Effect") == "Deny" {
				f.check(slices.Equal(statement.texts("Action"), inSubnets), "function %s is denied %v", function.Key,
					statement.texts("Action"))
				source := render(statement.object("Condition").object("ArnEquals")["lambda:SourceFunctionArn"])
				f.check(strings.HasSuffix(source, ":function:fanmail-"+stage+"-"+function.Key),
					"function %s may change network interfaces: the denial is for %s", function.Key, source)
				continue
			}
			for _, action := range statement.texts("Action") {
				where := rendered(statement["Resource"])
				for _, one := range where {
					f.check(v.where(function.Key, action).MatchString(one), "function %s may do %s on %s",
						function.Key, action, one)
					if folder, ok := strings.CutPrefix(one, "${CampaignBucket.Arn}/"); ok {
						granted[root(folder)] = true
					}
				}
				f.check(action != "ses:SendEmail" || len(where) > 2,
					"function %s may send with no configuration set, or by no identity", function.Key)
			}
		}
		reached := slices.Clone(handed[function.Key])
		for name, folder := range folders {
			if v.code[function.Key].mentions[name] {
				reached = append(reached, folder)
			}
		}
		f.equal(sortedKeys(granted), reached, "function %s may use the folders", function.Key)
	}
	deny := 0
	for _, function := range v.functions {
		for _, statement := range v.statements(function.Key) {
			if statement.text("Effect") == "Deny" {
				deny++
			}
		}
	}
	f.check(!v.inVPC() || deny == len(v.functions), "%d of %d functions are kept from changing network interfaces",
		deny, len(v.functions))
	return wrong
}

// where matches the resources on which a function may do something.
func (v variant) where(key, action string) *regexp.Regexp {
	region := func(service, rest string) string {
		return regexp.QuoteMeta("arn:${AWS::Partition}:"+service+":${AWS::Region}:${AWS::AccountId}:") + rest
	}
	secrets := []string{regexp.QuoteMeta(v.parameters["databaseSecretArn"])}
	if admin := v.parameters["databaseAdminSecretArn"]; admin != "" && key == "migrate" {
		secrets = append(secrets, regexp.QuoteMeta(admin))
	}
	mail := region("ses", `(identity/\*|configuration-set/(`+v.configurationSets()+`))`)
	pattern := map[string]string{
		getSecret:                  "(" + strings.Join(secrets, "|") + ")",
		decrypt:                    regexp.QuoteMeta(v.parameters["secretKeyArns"]),
		connect:                    region("rds-db", regexp.QuoteMeta("dbuser:"+v.parameter("databaseUser", "*/fanmail"))),
		"s3:ListBucket":            regexp.QuoteMeta("${CampaignBucket.Arn}"),
		"states:DescribeExecution": region("states", regexp.QuoteMeta("execution:fanmail-"+stage+"-campaign:*")),
		"ses:SendEmail":            mail,
		"ses:SendRawEmail":         mail,
	}[action]
	switch service, _, _ := strings.Cut(action, ":"); {
	case pattern != "":
	case slices.Contains(unlimited, action):
		pattern = `\*`
	case service == "logs":
		pattern = region("logs", regexp.QuoteMeta("log-group:/aws/lambda/fanmail-"+stage+"-"+key+":*"))
	case service == "sqs":
		pattern = regexp.QuoteMeta("${EventsQueue.Arn}")
	case service == "s3":
		pattern = regexp.QuoteMeta("${CampaignBucket.Arn}") + `/[a-z]+/\*`
	default:
		// Nothing matches: say above where this may be done.
		pattern = `[^\s\S]`
	}
	return regexp.MustCompile("^" + pattern + "$")
}

// configurationSets matches Fanmail's own configuration set, and those of campaigns.
func (v variant) configurationSets() string {
	names := append(
		[]string{"${EventsConfigurationSet}"},
		strings.Split(v.parameter("configurationSets", "fanmail-"+stage+"-*"), ",")...)
	for i, name := range names {
		names[i] = regexp.QuoteMeta(name)
	}
	return strings.Join(names, "|")
}
