//go:build js

package main

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/teapot-tee/teapot/web/page"
)

func operations(p *page.Page) map[string]operation {
	return map[string]operation{
		"appraise": func(files [][]byte, text []byte) (any, error) {
			o, err := page.ParseOptions(text)
			if err != nil {
				return nil, err
			}
			return p.Appraise(files, o)
		},
		"judge": func(files [][]byte, text []byte) (any, error) {
			o, err := page.ParseOptions(text)
			if err != nil {
				return nil, err
			}
			if len(files) != 3 {
				return nil, errors.New("judge wants boot evidence, session evidence and a bundle")
			}
			return p.Judge(files[0], files[1], files[2], o)
		},
		"receipt": func(files [][]byte, text []byte) (any, error) {
			o, err := page.ParseOptions(text)
			if err != nil {
				return nil, err
			}
			return p.Receipt(first(files), o)
		},
		"explain": func(files [][]byte, text []byte) (any, error) {
			o, err := page.ParseOptions(text)
			if err != nil {
				return nil, err
			}
			return page.Explain(files, o.At)
		},
		"follow": follow,
		"words":  func([][]byte, []byte) (any, error) { return json.RawMessage(page.Words()), nil },
		"covers": func(files [][]byte, _ []byte) (any, error) { return page.Covers(first(files)) },
		"keys":   func(files [][]byte, _ []byte) (any, error) { return page.Keys(first(files)) },
		"qr":     func(files [][]byte, _ []byte) (any, error) { return page.QR(string(first(files))) },
	}
}

func follow(files [][]byte, options []byte) (any, error) {
	var announced []page.Announced
	for _, f := range files {
		var a page.Announced
		if err := json.Unmarshal(f, &a); err != nil {
			return nil, fmt.Errorf("an announced entry: %w", err)
		}
		announced = append(announced, a)
	}
	var o struct {
		State json.RawMessage `json:"state"`
	}
	if err := json.Unmarshal(options, &o); err != nil {
		return nil, err
	}
	return page.Follow(announced, o.State)
}

func first(files [][]byte) []byte {
	if len(files) == 0 {
		return nil
	}
	return files[0]
}
