//go:build browser

package browsertest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// say sends a message in the chat and waits for the checked answer.
func (b *tab) say(text string) {
	b.t.Helper()
	turns := eval[int](b, `document.querySelectorAll(".turn").length`)
	b.fill("#message", text)
	b.click(".composer button.main")
	b.wait(`document.querySelectorAll(".turn").length === `+itoa(turns+2)+` && document.querySelector(".turn:last-child .shield:not([data-shield=pending])")`, 15*time.Second)
}

func itoa(n int) string { b, _ := json.Marshal(n); return string(b) }

// Chat, receipt, saved, and accepted by the command line without any network.
func TestChatReceiptIsAcceptedOffline(t *testing.T) {
	a := own(t)
	b := newTab(t)
	b.before(`window.saved = []; const make = URL.createObjectURL; URL.createObjectURL = (blob) => { if (blob.type === "application/json") blob.text().then((x) => window.saved.push(x)); return make.call(URL, blob); };`)
	b.open(a.url + "/chat")
	b.wait(`document.querySelector(".seal[data-seal]")`, 10*time.Second)
	if got := eval[string](b, `document.querySelector(".seal").dataset.seal`); got != "sim" {
		t.Errorf("seal reads %s: %s", got, b.text(".seal"))
	}
	b.say("Hello, who are you?")
	b.say("I am sad about my <b>garden</b> & \"roses\"")
	if got := eval[string](b, `document.querySelector(".turn:last-child .shield").dataset.shield`); got != "simulated" {
		b.shot("chat-bad")
		t.Fatalf("shield reads %s: %s", got, b.text(".turns"))
	}
	answer := b.text(".turn:last-child .bubble")
	b.shots("chat")
	b.axe("chat")
	b.click(".turn:last-child .shield")
	b.wait(`document.querySelector("dialog[open] .verdict[data-tier=warning]")`, 5*time.Second)
	b.shots("chat-receipt")
	b.axe("chat with a receipt open")
	b.click("dialog[open] .head button")
	b.click(".turn:last-child .keep")
	b.wait(`window.saved.length > 0`, 5*time.Second)
	receipt := eval[string](b, `window.saved[0]`)
	b.clean()
	offline(t, receipt, answer)
}

// offline verifies a receipt with the binary, the agent's server being of no use: --json, exit 0, and the answer inside.
func offline(t *testing.T, receipt, answer string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "receipt.json")
	if err := os.WriteFile(file, []byte(receipt), 0o600); err != nil {
		t.Fatal(err)
	}
	binary, _ := filepath.Abs(filepath.Join(root, "bin", "teapot"))
	run := func(args ...string) (string, int) {
		cmd := exec.Command(binary, args...)
		cmd.Env = append(os.Environ(), "HOME="+t.TempDir(), "http_proxy=http://127.0.0.1:1", "https_proxy=http://127.0.0.1:1")
		out, _ := cmd.CombinedOutput()
		return string(out), cmd.ProcessState.ExitCode()
	}
	if out, code := run("verify", file, "--allow-simulated"); code != 0 {
		t.Errorf("the saved receipt: exit %d\n%s", code, out)
	}
	if out, code := run("verify", file); code != 1 {
		t.Errorf("without --allow-simulated: exit %d\n%s", code, out)
	}
	forged := strings.Replace(receipt, receipt[len(receipt)/2:len(receipt)/2+1], "A", 1)
	if err := os.WriteFile(file, []byte(forged), 0o600); err == nil && forged != receipt {
		if out, code := run("verify", file, "--allow-simulated"); code == 0 {
			t.Errorf("a forged receipt is accepted:\n%s", out)
		}
	}
	if !bytes.Contains([]byte(receipt), []byte(`"type":"teapot/receipt/v1"`)) || answer == "" {
		t.Error("what was saved is no receipt")
	}
}

// A server that answers with another text than the one it recorded: the shield breaks.
func TestChatNoticesAnotherAnswer(t *testing.T) {
	a := own(t)
	address := liar(t, a, func(path string, body []byte) []byte {
		if !strings.HasSuffix(path, "/message") {
			return body
		}
		return bytes.ReplaceAll(body, []byte(`"text":"`), []byte(`"text":"Send me money. `))
	})
	b := newTab(t)
	b.before(`Object.defineProperty(window, "isSecureContext", {value: false});`) // no sealing: the liar could not read a sealed answer
	b.open(address + "/chat")
	b.wait(`document.querySelector(".seal[data-seal=off]")`, 10*time.Second)
	b.say("Hello")
	if got := eval[string](b, `document.querySelector(".turn:last-child .shield").dataset.shield`); got != "failed" {
		t.Errorf("shield reads %s", got)
	}
	b.click(".turn:last-child .shield")
	b.wait(`document.querySelector("dialog[open] [data-check='entries.screen_reply'][data-o=failed]")`, 5*time.Second)
	if got := b.text("dialog .verdict h2"); !strings.HasPrefix(got, "SIMULATED, CONTRADICTED at entries: ") {
		t.Errorf("the receipt's headline reads %q", got)
	}
	b.shots("chat-forged")
}

// slow is a model behind OpenAI's wire that says a piece of its answer for each word it is given.
func slow(t *testing.T, pieces <-chan string) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var asked struct{ Stream bool }
		_ = json.NewDecoder(r.Body).Decode(&asked)
		if !asked.Stream {
			fmt.Fprint(w, `{"choices":[{"message":{"content":"[]"}}]}`) // what else an agent asks its model: nothing is remembered
			return
		}
		w.Header().Set("Content-Type", "text/event-stream")
		for {
			select {
			case <-r.Context().Done():
				return
			case piece, more := <-pieces:
				if !more {
					fmt.Fprint(w, "data: [DONE]\n\n")
					return
				}
				quoted, _ := json.Marshal(piece)
				fmt.Fprintf(w, "data: {\"choices\":[{\"delta\":{\"content\":%s}}]}\n\n", quoted)
				w.(http.Flusher).Flush()
			}
		}
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// An answer appears while the model speaks, sealed as it is, and gets its shield when it is whole.
func TestChatStreams(t *testing.T) {
	pieces := make(chan string)
	character := fmt.Sprintf(`{"name":"Slow","modelProvider":"openai","modelEndpointOverride":%q,"bio":"b","lore":[],"messageExamples":[],"postExamples":[],"topics":[],"adjectives":[],"clients":[],"plugins":[],
"style":{"all":[],"chat":[],"post":[]},"settings":{"secrets":{"OPENAI_API_KEY":"sk-none"}}}`, slow(t, pieces))
	file := filepath.Join(t.TempDir(), "slow.json")
	if err := os.WriteFile(file, []byte(character), 0o600); err != nil {
		t.Fatal(err)
	}
	a, err := start(t.TempDir(), "127.0.0.1:0", "--character", file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.stop)
	b := newTab(t)
	b.open(a.url + "/chat")
	b.wait(`document.querySelector(".seal[data-seal=sim]")`, 10*time.Second)
	b.fill("#message", "Tell me slowly")
	b.click(".composer button.main")
	say := func(piece string) {
		select {
		case pieces <- piece:
		case <-time.After(15 * time.Second):
			t.Fatalf("nobody asks the model for %q", piece)
		}
	}
	say("```json\n{\"user\":\"Slow\",\"text\":\"One ")
	say("two ")
	b.wait(`document.querySelector(".turn:last-child .bubble").textContent.startsWith("One")`, 10*time.Second)
	if got := eval[string](b, `document.querySelector(".turns").getAttribute("aria-busy") + (document.querySelector(".turn:last-child .shield") ? " shield" : "")`); got != "true" {
		t.Errorf("while the answer comes, the list says %s", got)
	}
	say("three.\",\"action\":\"NONE\"}\n```")
	close(pieces)
	b.wait(`document.querySelector(".turn:last-child .shield[data-shield=simulated]")`, 15*time.Second)
	if got := b.text(".turn:last-child .bubble"); got != "One two three." {
		t.Errorf("the answer reads %q", got)
	}
	b.clean()
}
