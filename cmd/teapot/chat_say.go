package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// content is one element of an answer.
type content struct {
	Text       string          `json:"text"`
	Receipt    json.RawMessage `json:"receipt"`
	RoomSecret string          `json:"roomSecret"`
}

// say sends a message and prints the answer, streamed to a terminal.
func (c *chat) say(ctx context.Context, text string) error {
	message := map[string]string{"text": text, "userId": c.flags.user, "userName": c.flags.name}
	if c.flags.room != "" {
		message["roomId"] = c.flags.room
	}
	body, err := json.Marshal(message)
	if err != nil {
		return err
	}
	header := http.Header{"Content-Type": {"application/json"}}
	if c.flags.secret != "" {
		header.Set("Teapot-Room-Secret", c.flags.secret)
	}
	if c.interactive && !c.flags.plain {
		header.Set("Accept", "text/event-stream, application/json")
	}
	answer, got, err := c.do(ctx, http.MethodPost, "/"+c.agent+"/message", body, header)
	if err != nil {
		return err
	}
	defer answer.Close()
	c.receiptURL = got.Get("Teapot-Receipt")
	if strings.HasPrefix(got.Get("Content-Type"), "text/event-stream") {
		return c.streamed(answer)
	}
	var list []content
	if err := json.NewDecoder(io.LimitReader(answer, 8<<20)).Decode(&list); err != nil {
		return fmt.Errorf("the answer is no JSON list: %w", err)
	}
	for _, e := range list {
		c.print(e.Text)
	}
	return c.keep(list)
}

func (c *chat) print(text string) {
	label := c.paint("32;1", printable(c.name)+": ")
	fmt.Fprintln(c.out, label+printable(text))
}

func (c *chat) keep(list []content) error {
	if len(list) == 0 {
		fmt.Fprintln(c.err, "(the agent keeps silent)")
		return nil
	}
	c.receipt = list[0].Receipt
	if secret := list[0].RoomSecret; secret != "" {
		fmt.Fprintf(c.err, "this room's secret, told only now (--room-secret goes on here from anywhere): %s\n", printable(secret))
	}
	if c.flags.receipts && c.receipt != nil {
		return c.showReceipt()
	}
	return nil
}

// streamed reads server-sent events: "delta" pieces, then "done". The last word counts: if the pieces were not the whole
// answer, as with an action's, it is printed anew.
func (c *chat) streamed(r io.Reader) error {
	lines := bufio.NewScanner(io.LimitReader(r, 16<<20))
	lines.Buffer(nil, 8<<20)
	shown, name := "", ""
	for lines.Scan() {
		line := lines.Text()
		if event, ok := strings.CutPrefix(line, "event: "); ok {
			name = event
			continue
		}
		data, ok := strings.CutPrefix(line, "data: ")
		if !ok {
			continue
		}
		switch name {
		case "delta":
			shown += c.piece(shown, data)
		case "error":
			fmt.Fprintln(c.out)
			return fmt.Errorf("the agent answers an error: %s", printable(data))
		case "done":
			return c.finish(shown, data)
		}
	}
	return errors.Join(errors.New("the answer broke off"), lines.Err())
}

func (c *chat) piece(before, data string) string {
	var d content
	if json.Unmarshal([]byte(data), &d) != nil {
		return ""
	}
	if before == "" {
		fmt.Fprint(c.out, c.paint("32;1", printable(c.name)+": "))
	}
	fmt.Fprint(c.out, printable(d.Text))
	return d.Text
}

func (c *chat) finish(shown, data string) error {
	var done struct {
		Contents []content `json:"contents"`
		Receipt  string    `json:"receipt"`
	}
	if err := json.Unmarshal([]byte(data), &done); err != nil {
		return fmt.Errorf("the end of the answer is no JSON: %w", err)
	}
	c.receiptURL = done.Receipt
	rest := done.Contents
	if shown != "" {
		more := ""
		if len(rest) > 0 && strings.HasPrefix(rest[0].Text, shown) { // an action's answer goes on after the model's words
			more, rest = strings.TrimPrefix(rest[0].Text, shown), rest[1:]
		}
		fmt.Fprintln(c.out, printable(more))
	}
	for _, e := range rest {
		c.print(e.Text)
	}
	return c.keep(done.Contents)
}
