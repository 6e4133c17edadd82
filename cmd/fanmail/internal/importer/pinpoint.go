package importer

import (
	"fmt"
	"strings"
)

// Pinpoint is a segment, or all endpoints of a project, that an export job of Amazon Pinpoint wrote to S3: JSON
// lines. CSV files for its imports have the same fields as columns, and the column of a field with several values
// several times.
//
// https://docs.aws.amazon.com/pinpoint/latest/userguide/segments-importing.html
var Pinpoint = Format{
	Name: "Pinpoint", json: true, addressPath: "Address",
	judge: judgeEndpoint, name: nameEndpointColumn,
}

// judgeEndpoint takes the words in any case: a CSV file may be written by anybody.
func judgeEndpoint(r record) verdict {
	v := verdict{address: r.get("Address")}
	switch channel := strings.ToUpper(r.get("ChannelType")); channel {
	case "EMAIL":
	case "":
		v.otherChannel = "no ChannelType"
	default:
		v.otherChannel = channel
	}
	switch optOut := r.get("OptOut"); strings.ToUpper(optOut) {
	case "", "NONE":
	case "ALL":
		v.optedOut = "OptOut ALL"
	default:
		v.problem = fmt.Sprintf("OptOut is %q, where only ALL and NONE are known", optOut)
	}
	// Pinpoint makes an endpoint inactive when another one takes its address, so this is no opt-out of the address.
	switch status := r.get("EndpointStatus"); strings.ToUpper(status) {
	case "", "ACTIVE":
	case "INACTIVE":
		v.inactive = "EndpointStatus INACTIVE"
	default:
		v.problem = fmt.Sprintf("EndpointStatus is %q, where only ACTIVE and INACTIVE are known", status)
	}
	return v
}

// nameEndpointColumn drops what Pinpoint needs for itself. Attributes lose their prefix.
func nameEndpointColumn(path string) string {
	switch path {
	case "Address", "ChannelType", "OptOut", "EndpointStatus", "Id", "ApplicationId", "CohortId", "RequestId", "CreationDate", "EffectiveDate":
		return ""
	}
	for _, prefix := range []string{"User.UserAttributes.", "Attributes.", "User."} {
		if short, ok := strings.CutPrefix(path, prefix); ok {
			return short
		}
	}
	return path
}
