// Package examples holds campaign folders that the fanmail binary carries with it.
package examples

import (
	"embed"
	"io/fs"
)

// SpringSaleName is the name of the campaign SpringSale.
const SpringSaleName = "spring-sale"

//go:embed spring-sale
var files embed.FS

// SpringSale is the folder examples/spring-sale.
func SpringSale() fs.FS {
	folder, err := fs.Sub(files, SpringSaleName)
	if err != nil {
		panic(err) // only for a path that is not valid
	}
	return folder
}
