package wire

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// events reads server-sent events (WHATWG HTML §9.2) and hands on the data of each; comments and other fields are skipped.
func events(r io.Reader, each func(data []byte) error) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, 16<<10), MaxAnswer+2)
	var data []byte
	for lines.Scan() {
		line := bytes.TrimSuffix(lines.Bytes(), []byte("\r"))
		if len(line) == 0 {
			if err := emit(&data, each); err != nil {
				return stopped(err, r)
			}
			continue
		}
		if value, ok := bytes.CutPrefix(line, []byte("data:")); ok {
			if data != nil {
				data = append(data, '\n')
			}
			data = append(data, bytes.TrimPrefix(value, []byte(" "))...)
		}
	}
	if err := lines.Err(); err != nil {
		return err
	}
	return stopped(emit(&data, each), r)
}

func emit(data *[]byte, each func([]byte) error) error {
	if *data == nil {
		return nil
	}
	d := *data
	*data = nil
	return each(d)
}

// stopped turns ErrStop into success and reads what is left, so that the exact bytes are whole.
func stopped(err error, r io.Reader) error {
	if !errors.Is(err, ErrStop) {
		return err
	}
	_, err = io.Copy(io.Discard, r)
	return err
}

// eachLine hands on every line that is not empty.
func eachLine(r io.Reader, each func(data []byte) error) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, 16<<10), MaxAnswer+2)
	for lines.Scan() {
		if line := bytes.TrimSpace(lines.Bytes()); len(line) > 0 {
			if err := each(line); err != nil {
				return stopped(err, r)
			}
		}
	}
	return lines.Err()
}
