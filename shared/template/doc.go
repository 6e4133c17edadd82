// Package template renders the messages of a campaign: the subject and the text part with text/template, the HTML part
// with html/template. The data is flat: a field is a column of the recipients' file or a default, and always a string.
//
//	{{.name}}                  the column "name"
//	{{index . "first name"}}   a column whose name is no identifier
//	{{$.name}}                 the column "name" inside with or range, where the dot is something else
//
// Compile checks everything that can be known before the first mail: syntax, functions, every field in every branch, and
// the contextual escaping of the HTML. Beside Go's own functions (and or not eq ne lt le gt ge len slice print printf
// println html urlquery) there are those of functions.go; none of them reads a clock, a file or the environment, so a
// message depends on its template and its row only.
package template
