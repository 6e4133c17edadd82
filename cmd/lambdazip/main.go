// Command lambdazip writes the deployment package of a Lambda function: a zip that holds one executable, named bootstrap as
// the runtime provided.al2023 wants it. The same executable always gives the same bytes, so that a function whose code did
// not change gets no new version.
//
//	lambdazip bin/deploy/send.zip bin/deploy/arm64/send/bootstrap
package main

import (
	"fmt"
	"os"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: lambdazip ZIP EXECUTABLE")
		os.Exit(2)
	}
	if err := write(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "lambdazip:", err)
		os.Exit(1)
	}
}
