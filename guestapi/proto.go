package guestapi

import (
	"encoding/binary"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"unicode/utf8"
)

// The messages of this protocol need six kinds of protobuf field: string, bytes, bool, uint64 (also optional) and repeated string,
// bytes or message. The field number is in the struct tag `pb`. Spec: protobuf.dev/programming-guides/encoding.
const (
	wireVarint = 0
	wireFixed8 = 1
	wireBytes  = 2
	wireFixed4 = 5
)

var errTruncated = errors.New("protobuf body ends inside a field")

// marshalProto encodes a pointer to a message struct. Default values are left out, as proto3 does.
func marshalProto(v any) []byte {
	if v == nil {
		return nil
	}
	return appendMessage(nil, reflect.Indirect(reflect.ValueOf(v)))
}

func appendMessage(out []byte, msg reflect.Value) []byte {
	for i := range msg.NumField() {
		number, ok := fieldNumber(msg.Type().Field(i))
		if !ok {
			continue
		}
		out = appendField(out, number, msg.Field(i))
	}
	return out
}

func appendField(out []byte, number uint64, f reflect.Value) []byte {
	switch v := f.Interface().(type) {
	case string:
		return appendBytes(out, number, []byte(v), false)
	case Hex:
		return appendBytes(out, number, v, false)
	case bool:
		if v {
			out = append(binary.AppendUvarint(out, number<<3|wireVarint), 1)
		}
		return out
	case *uint64:
		if v != nil {
			out = binary.AppendUvarint(binary.AppendUvarint(out, number<<3|wireVarint), *v)
		}
		return out
	}
	for i := range f.Len() { // every other kind is a slice; repeated elements are written even when empty
		switch e := f.Index(i).Interface().(type) {
		case string:
			out = appendBytes(out, number, []byte(e), true)
		case Hex:
			out = appendBytes(out, number, e, true)
		default:
			out = appendBytes(out, number, appendMessage(nil, f.Index(i)), true)
		}
	}
	return out
}

func appendBytes(out []byte, number uint64, b []byte, always bool) []byte {
	if len(b) == 0 && !always {
		return out
	}
	out = binary.AppendUvarint(out, number<<3|wireBytes)
	return append(binary.AppendUvarint(out, uint64(len(b))), b...)
}

// unmarshalProto decodes into a pointer to a message struct; unknown fields are skipped, the last of a repeated scalar wins.
func unmarshalProto(raw []byte, v any) error {
	msg := reflect.Indirect(reflect.ValueOf(v))
	for len(raw) > 0 {
		key, n := binary.Uvarint(raw)
		if n <= 0 || key>>3 == 0 {
			return errTruncated
		}
		raw = raw[n:]
		number, payload, rest, err := nextField(key, raw)
		if err != nil {
			return err
		}
		raw = rest
		if err := setField(msg, number, int(key&7), payload); err != nil {
			return err
		}
	}
	return nil
}

// nextField cuts the payload of one field: the varint's own bytes, or the content of a length-delimited field.
func nextField(key uint64, raw []byte) (number uint64, payload, rest []byte, err error) {
	var size uint64
	switch key & 7 {
	case wireVarint:
		_, n := binary.Uvarint(raw)
		if n <= 0 {
			return 0, nil, nil, errTruncated
		}
		size = uint64(n)
	case wireFixed8:
		size = 8
	case wireFixed4:
		size = 4
	case wireBytes:
		length, n := binary.Uvarint(raw)
		if n <= 0 {
			return 0, nil, nil, errTruncated
		}
		raw, size = raw[n:], length
	default:
		return 0, nil, nil, fmt.Errorf("protobuf wire type %d is not used by this protocol", key&7)
	}
	if size > uint64(len(raw)) {
		return 0, nil, nil, errTruncated
	}
	return key >> 3, raw[:size], raw[size:], nil
}

func setField(msg reflect.Value, number uint64, wire int, payload []byte) error {
	for i := range msg.NumField() {
		n, ok := fieldNumber(msg.Type().Field(i))
		if !ok || n != number {
			continue
		}
		return setValue(msg.Field(i), number, wire, payload)
	}
	return nil
}

func setValue(f reflect.Value, number uint64, wire int, payload []byte) error {
	want := wireBytes
	switch p := f.Addr().Interface().(type) {
	case *string:
		*p = string(payload)
		return checkField(number, wire, want, payload, true)
	case *Hex:
		*p = append(Hex{}, payload...)
	case *[]string:
		*p = append(*p, string(payload))
		return checkField(number, wire, want, payload, true)
	case *[]Hex:
		*p = append(*p, append(Hex{}, payload...))
	case *bool:
		value, _ := binary.Uvarint(payload)
		*p, want = value != 0, wireVarint
	case **uint64:
		value, _ := binary.Uvarint(payload)
		*p, want = &value, wireVarint
	default:
		return fmt.Errorf("internal: protobuf field %d has the type %s", number, f.Type())
	}
	return checkField(number, wire, want, payload, false)
}

func checkField(number uint64, got, want int, payload []byte, text bool) error {
	if got != want {
		return fmt.Errorf("protobuf field %d has wire type %d, want %d", number, got, want)
	}
	if text && !utf8.Valid(payload) {
		return fmt.Errorf("protobuf field %d is not valid UTF-8", number)
	}
	return nil
}

func fieldNumber(f reflect.StructField) (uint64, bool) {
	tag, ok := f.Tag.Lookup("pb")
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseUint(tag, 10, 29)
	return n, err == nil
}
