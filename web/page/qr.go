package page

import "rsc.io/qr"

// Code is a QR code: rows of '0' and '1', without the quiet zone.
type Code struct {
	Size int      `json:"size"`
	Rows []string `json:"rows"`
}

// QR encodes a text with the middle level of redundancy.
func QR(text string) (*Code, error) {
	c, err := qr.Encode(text, qr.M)
	if err != nil {
		return nil, err
	}
	code := &Code{Size: c.Size}
	for y := range c.Size {
		row := make([]byte, c.Size)
		for x := range row {
			row[x] = '0'
			if c.Black(x, y) {
				row[x] = '1'
			}
		}
		code.Rows = append(code.Rows, string(row))
	}
	return code, nil
}
