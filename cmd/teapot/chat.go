package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/teapot-tee/teapot/client"
	"github.com/teapot-tee/teapot/tlog"
)

type chatFlags struct {
	agent, user, room, name, token, secret string
	receipts, plain                        bool
}

func newChatCmd() *cobra.Command {
	var f chatFlags
	cmd := &cobra.Command{
		Use:   "chat [URL]",
		Short: "Talk to an agent in the terminal; every reply has a receipt",
		Long: "Talk to a running agent (default http://" + "127.0.0.1:3000, or $SERVER_PORT). \"exit\" or Ctrl-C ends.\n" +
			"  /receipt          what the last reply's receipt says\n  /save FILE        save it, with texts and evidence, for teapot verify\n  /agent NAME       talk to another agent\n  /help",
		Example: "  teapot chat\n  echo 'what is your wallet address?' | teapot chat http://127.0.0.1:3000",
		Args:    args(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, given []string) error {
			c, err := f.open(cmd, given)
			if err != nil {
				return err
			}
			return c.run(cmd.Context())
		},
	}
	cmd.Flags().StringVar(&f.agent, "agent", "", "name or id of the agent (default: the first)")
	cmd.Flags().StringVar(&f.user, "user", "user", "who you are, as in Eliza's userId")
	cmd.Flags().StringVar(&f.room, "room", "", "room (default: the agent's default room)")
	cmd.Flags().StringVar(&f.secret, "room-secret", "", "the room's secret, from its first answer: goes on there from anywhere, and closes the room to everybody without it")
	cmd.Flags().StringVar(&f.name, "name", "User", "the name the agent calls you")
	tokenFlag(cmd, &f.token, "the server's bearer token, if you hold it")
	cmd.Flags().BoolVar(&f.receipts, "receipts", false, "show the receipt of every reply")
	cmd.Flags().BoolVar(&f.plain, "plain", false, "no colours, no streaming")
	return cmd
}

// chat is one conversation.
type chat struct {
	flags       *chatFlags
	base        *url.URL
	agent       string // id
	name        string
	in          io.Reader
	out, err    io.Writer
	colour      bool
	interactive bool
	receipt     json.RawMessage // of the last reply
	receiptURL  string
}

func (f *chatFlags) open(cmd *cobra.Command, given []string) (*chat, error) {
	target := "http://" + defaultAddr()
	if len(given) == 1 {
		target = given[0]
	}
	base, err := url.Parse(target)
	if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" {
		return nil, &exitError{code: 64, err: fmt.Errorf("%q is no http URL", target), hint: "as in: teapot chat http://127.0.0.1:3000"}
	}
	c := &chat{flags: f, base: base, in: cmd.InOrStdin(), out: cmd.OutOrStdout(), err: cmd.ErrOrStderr()}
	f.token = tokenFor(cmd, base, f.token)
	if f.token != "" && base.Scheme == "http" && !client.Loopback(base) {
		_, err := client.NewHTTP(base, f.token)
		return nil, hinted(err)
	}
	c.interactive = isTerminal(c.in) && isTerminal(c.out)
	c.colour = c.interactive && !f.plain && os.Getenv("NO_COLOR") == ""
	return c, c.choose(cmd.Context(), f.agent)
}

func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// choose finds an agent by name or id; "" takes the first.
func (c *chat) choose(ctx context.Context, wanted string) error {
	var list struct {
		Agents []struct{ ID, Name string } `json:"agents"`
	}
	if err := c.get(ctx, "/agents", &list); err != nil {
		return err
	}
	var names []string
	for _, a := range list.Agents {
		names = append(names, a.Name)
		if wanted == "" || strings.EqualFold(a.Name, wanted) || strings.EqualFold(a.ID, wanted) {
			c.agent, c.name = a.ID, a.Name
			return nil
		}
	}
	if len(names) == 0 {
		return &exitError{code: 2, err: fmt.Errorf("no agent runs at %s", c.base), hint: "start one with \"teapot run\""}
	}
	return &exitError{code: 2, err: fmt.Errorf("no agent %q runs at %s", wanted, c.base), hint: "running: " + strings.Join(names, ", ")}
}

func (c *chat) get(ctx context.Context, path string, into any) error {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	body, _, err := c.do(ctx, http.MethodGet, path, nil, nil)
	if err != nil {
		return err
	}
	defer body.Close()
	if err := json.NewDecoder(io.LimitReader(body, 8<<20)).Decode(into); err != nil {
		return &exitError{code: 2, err: fmt.Errorf("%s%s answers no JSON: %w", c.base, path, err), hint: "is this the address of a teapot (or an Eliza)?"}
	}
	return nil
}

func (c *chat) do(ctx context.Context, method, path string, body []byte, header http.Header) (io.ReadCloser, http.Header, error) {
	req, err := http.NewRequestWithContext(ctx, method, strings.TrimRight(c.base.String(), "/")+path, bytes.NewReader(body))
	if err != nil {
		return nil, nil, err
	}
	for name, values := range header {
		req.Header[name] = values
	}
	if c.flags.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.flags.token)
	}
	resp, err := talker().Do(req)
	if err != nil {
		return nil, nil, &exitError{code: 2, err: fmt.Errorf("reaching %s: %w", c.base, err), hint: "start the agent with \"teapot run\", or give its URL"}
	}
	if resp.StatusCode >= 300 {
		defer resp.Body.Close()
		text, err := io.ReadAll(io.LimitReader(resp.Body, 2048))
		return nil, nil, errors.Join(fmt.Errorf("%s%s answers HTTP %d: %s", c.base, path, resp.StatusCode, printable(string(text))), err)
	}
	return resp.Body, resp.Header, nil
}

// talker follows no redirect: what is said, and the token, are for the address that was given.
func talker() *http.Client {
	return &http.Client{CheckRedirect: func(r *http.Request, _ []*http.Request) error {
		return fmt.Errorf("it redirects to %s; give that address if you mean it", r.URL)
	}}
}

// run reads lines until the end of input or "exit".
func (c *chat) run(ctx context.Context) error {
	if c.interactive {
		fmt.Fprintf(c.err, "Talking to %s at %s. /receipt shows the proof of the last reply; exit ends.\n", printable(c.name), c.base)
	}
	lines := make(chan string)
	failed := make(chan error, 1)
	go func() { // ends with its input: reading a terminal cannot be interrupted
		scanner := bufio.NewScanner(c.in)
		scanner.Buffer(nil, 1<<20)
		for scanner.Scan() {
			lines <- scanner.Text()
		}
		failed <- scanner.Err()
	}()
	for {
		if c.interactive {
			fmt.Fprint(c.out, c.paint("36;1", "You: "))
		}
		select {
		case <-ctx.Done():
			fmt.Fprintln(c.out)
			return nil
		case err := <-failed:
			return err
		case line := <-lines:
			done, err := c.line(ctx, strings.TrimSpace(line))
			if err != nil && ctx.Err() == nil {
				if !c.interactive {
					return err
				}
				fmt.Fprintln(c.err, "teapot: error:", printable(err.Error()))
			}
			if done {
				return nil
			}
		}
	}
}

// line handles one input; done ends the conversation.
func (c *chat) line(ctx context.Context, text string) (done bool, err error) {
	word, rest, _ := strings.Cut(text, " ")
	switch {
	case text == "":
	case strings.EqualFold(text, "exit"), strings.EqualFold(text, "/exit"), strings.EqualFold(text, "/quit"):
		return true, nil
	case word == "/receipt":
		return false, c.showReceipt()
	case word == "/save":
		return false, c.save(ctx, strings.TrimSpace(rest))
	case word == "/agent":
		return false, c.choose(ctx, strings.TrimSpace(rest))
	case word == "/help":
		fmt.Fprintln(c.err, "/receipt  /save FILE  /agent NAME  exit")
	default:
		return false, c.say(ctx, text)
	}
	return false, nil
}

func (c *chat) paint(code, text string) string {
	if !c.colour {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

// printable keeps an agent from steering the terminal: control characters become spaces, line breaks stay.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r != '\n' && r != '\t' && (r < 0x20 || r >= 0x7f && r < 0xa0 || r == 0x202e || r == 0x2066) {
			return ' '
		}
		return r
	}, text)
}

// showReceipt says in words what the last receipt is.
func (c *chat) showReceipt() error {
	if c.receipt == nil {
		return errors.New("there is no reply yet")
	}
	r, err := tlog.ParseReceipt(c.receipt)
	if err != nil {
		return err
	}
	note, err := tlog.ParseCheckpoint([]byte(r.Checkpoint))
	if err != nil {
		return err
	}
	fmt.Fprintf(c.err, "receipt: entries")
	for _, e := range r.Entries {
		fmt.Fprintf(c.err, " %d", e.Index)
	}
	fmt.Fprintf(c.err, " of %d in %s\nroot %s\nsave it with /save FILE, then \"teapot verify FILE\" (not checked here: this is what the server says)\n", note.Size, note.Origin, note.Root)
	return nil
}

// save writes the receipt's file form, which the last reply's salt opens.
func (c *chat) save(ctx context.Context, path string) error {
	if c.receipt == nil || path == "" {
		return errors.New("usage after a reply: /save FILE")
	}
	r, err := tlog.ParseReceipt(c.receipt)
	if err != nil {
		return err
	}
	secret := fmt.Sprintf("%x", r.Entries[len(r.Entries)-1].Salt)
	body, _, err := c.do(ctx, http.MethodGet, c.receiptURL, nil, http.Header{"Teapot-Receipt-Secret": {secret}})
	if err != nil {
		return err
	}
	defer body.Close()
	data, err := io.ReadAll(io.LimitReader(body, tlog.MaxReceiptFile))
	if err != nil {
		return err
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		return err
	}
	fmt.Fprintf(c.err, "saved %d bytes; check it with: teapot verify %s\n", len(data), path)
	return nil
}
