package main

import "fanmail/experiment"

// campaignName is the campaign of the experiment.
const campaignName = "chaos"

// addresses is the list: recipient i+1 is element i.
func addresses(n int64) []string {
	list := make([]string, n)
	for i := range list {
		list[i] = experiment.Address(int64(i) + 1)
	}
	return list
}
