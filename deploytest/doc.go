// Package deploytest holds what `make package` made against parts that none of us wrote: osls as far as it goes without
// an AWS account, moto in AWS's place, cfn-lint, asl-validator, and the zips as Lambda would unpack and start them.
//
// `make deploytest` runs it. server.py serves moto, and says what moto can't do.
package deploytest
