package guestapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"reflect"
	"strconv"
	"strings"
)

// request holds the arguments of a call in one of their three forms: JSON, protobuf or a query string.
type request struct {
	json  bool
	body  []byte
	query url.Values
}

// errShort explains the commonest broken body: JavaScript SDKs up to 0.5.8 count characters instead of bytes on unix sockets.
var errShort = errors.New("the request body ends too early; the JavaScript SDK sends a too small Content-Length " +
	"for text outside ASCII over unix sockets: use ASCII, or TCP")

// decode fills a message; absent fields keep their default, unknown ones are ignored.
func (r request) decode(into any) error {
	var err error
	switch {
	case r.query != nil:
		err = decodeQuery(r.query, into)
	case !r.json:
		err = unmarshalProto(r.body, into)
	case len(r.body) > 0:
		err = json.Unmarshal(r.body, into)
	}
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok && int(syntax.Offset) >= len(r.body) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errShort
	}
	if err != nil {
		return fmt.Errorf("reading the request: %w", err)
	}
	return nil
}

// decodeQuery reads fields by JSON name; lists are repeated (a=1&a=2), with brackets (a[]=1) or with an index (a[0]=1).
func decodeQuery(query url.Values, into any) error {
	msg := reflect.Indirect(reflect.ValueOf(into))
	for i := range msg.NumField() {
		name := msg.Type().Field(i).Tag.Get("json")
		values := queryValues(query, name)
		if len(values) == 0 {
			continue
		}
		if err := setFromText(msg.Field(i).Addr().Interface(), values); err != nil {
			return fmt.Errorf("query argument %s: %w", name, err)
		}
	}
	return nil
}

func queryValues(query url.Values, name string) []string {
	values := append(append([]string{}, query[name]...), query[name+"[]"]...)
	for i := 0; ; i++ {
		indexed, ok := query[name+"["+strconv.Itoa(i)+"]"]
		if !ok {
			return values
		}
		values = append(values, indexed...)
	}
}

func setFromText(field any, values []string) (err error) {
	last := values[len(values)-1]
	switch f := field.(type) {
	case *string:
		*f = last
	case *[]string:
		*f = values
	case *Hex:
		*f, err = parseHex(last)
	case *bool:
		*f, err = strconv.ParseBool(strings.ToLower(last))
	case **uint64:
		n, parseErr := strconv.ParseUint(last, 10, 64)
		*f, err = &n, parseErr
	}
	return err
}
