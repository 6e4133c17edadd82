package folder

import "context"

// Addresses shows the addresses of the good rows of a checked folder, normalised, in slices of n at most. A slice is
// overwritten by the next.
func Addresses(ctx context.Context, f Folder, checked *Result, n int, show func([]string) error) error {
	list, err := OpenList(f.FS, checked.File)
	if err != nil {
		return err
	}
	addresses := make([]string, 0, n)
	err = list.Each(checked.Set.HeaderFields(), func(row Row) error {
		if row.Reject != nil {
			return ctx.Err()
		}
		if addresses = append(addresses, row.Recipient.Address); len(addresses) < n {
			return ctx.Err()
		}
		err := show(addresses)
		addresses = addresses[:0]
		return err
	})
	if err == nil && len(addresses) > 0 {
		err = show(addresses)
	}
	return err
}
