package tlog

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
)

// marshalJSON writes compact JSON without HTML escaping.
func marshalJSON(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// unmarshalJSON reads one JSON document into v and refuses what would be dropped on the way: unknown or duplicate members, names
// that differ in case, bytes that follow, and values that v would write in another way.
func unmarshalJSON(b []byte, v any) error {
	if err := uniqueMembers(json.NewDecoder(bytes.NewReader(b))); err != nil {
		return err
	}
	if err := json.Unmarshal(b, v); err != nil {
		return err
	}
	back, err := marshalJSON(v)
	if err != nil {
		return err
	}
	var got, want any
	if err := errors.Join(decodeNumbers(b, &got), decodeNumbers(back, &want)); err != nil {
		return err
	}
	if !reflect.DeepEqual(got, want) {
		return errors.New("unknown members, or values not in the form that Teapot writes")
	}
	return nil
}

func decodeNumbers(b []byte, v any) error {
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	return dec.Decode(v)
}

// uniqueMembers walks a document and refuses duplicate members of objects.
func uniqueMembers(dec *json.Decoder) error {
	var open []map[string]bool // nil for an array
	name := true               // the next string in an object is a member's name
	for {
		token, err := dec.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		switch t := token.(type) {
		case json.Delim:
			switch t {
			case '{':
				open, name = append(open, map[string]bool{}), true
				continue
			case '[':
				open = append(open, nil)
				continue
			default:
				open = open[:len(open)-1]
			}
		case string:
			if top := len(open) - 1; top >= 0 && open[top] != nil && name {
				if open[top][t] {
					return fmt.Errorf("member %q stands there twice", clip(t))
				}
				open[top][t], name = true, false
				continue
			}
		}
		name = true
	}
}
