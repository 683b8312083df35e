package web

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
)

// errNoVerifier: an explorer without its verifier would be decoration.
var errNoVerifier = errors.New("web: this binary was built without its WASM verifier (make build)")

// SingleFile returns the explorer as one HTML file that works from a disk, without any server: the proof path.
// Scripts, styles and the gzipped verifier are inside; its policy names each script by hash.
func SingleFile() ([]byte, error) {
	all, err := embedded()
	if err != nil {
		return nil, err
	}
	return all.single()
}

// SingleHash names the explorer as one file: what sha256sum(1) says of SingleFile, in hex.
func SingleHash() (string, error) {
	page, err := SingleFile()
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(page)
	return hex.EncodeToString(sum[:]), nil
}

func (b bundle) single() ([]byte, error) {
	for _, name := range []string{verifier, "web/wasm_exec.js", "web/worker.js", "web/explorer.js", "web/app.css", "web/teapot.svg"} {
		if b[name] == nil {
			return nil, fmt.Errorf("%w: %s is missing", errNoVerifier, name)
		}
	}
	page := b["explorer.html"].body
	worker := append(append([]byte{}, b["web/wasm_exec.js"].body...), b["web/worker.js"].body...)
	icon := "data:image/svg+xml;base64," + base64.StdEncoding.EncodeToString(b["web/teapot.svg"].body)
	script := escaped(b["web/explorer.js"].body)
	head := fmt.Sprintf("<meta http-equiv=\"Content-Security-Policy\" content=\"%s\">\n<style>%s</style>", singlePolicy(script), b["web/app.css"].body)
	tail := fmt.Sprintf("<script type=\"application/octet-stream\" id=\"inline-worker\">%s</script>\n"+
		"<script type=\"application/octet-stream\" id=\"inline-wasm\">%s</script>\n<script type=\"module\">%s</script>",
		base64.StdEncoding.EncodeToString(worker), base64.StdEncoding.EncodeToString(b[verifier].packed["gzip"]()), script)
	steps := []struct{ mark, with string }{
		{`<link rel="stylesheet" href="web/app.css">`, head},
		{`<script type="module" src="web/explorer.js"></script>`, tail},
		{`"web/teapot.svg"`, `"` + icon + `"`},
	}
	for _, s := range steps {
		if !bytes.Contains(page, []byte(s.mark)) {
			return nil, fmt.Errorf("web: explorer.html has no %s", s.mark)
		}
		page = bytes.ReplaceAll(page, []byte(s.mark), []byte(s.with))
	}
	return page, nil
}

// escaped keeps a script from closing its own element.
func escaped(script []byte) []byte {
	return bytes.ReplaceAll(script, []byte("</script"), []byte(`<\/script`))
}

func singlePolicy(script []byte) string {
	sum := sha256.Sum256(script)
	return "default-src 'none'; script-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "' 'wasm-unsafe-eval' blob:; " +
		"style-src 'unsafe-inline'; img-src data: blob:; worker-src blob:; form-action 'none'; base-uri 'none'; " +
		"connect-src https: http://localhost:* http://127.0.0.1:*"
}

// single answers GET /explorer.html as a download, so that nobody runs it from the server it came from by accident.
func (p *pages) single(w http.ResponseWriter, _ *http.Request) {
	page, err := p.files.single()
	if err != nil {
		p.missing(w, verifier)
		return
	}
	secure(w.Header(), "download")
	w.Header().Set("Content-Disposition", `attachment; filename="teapot-explorer.html"`)
	write(w, "text/html; charset=utf-8", page)
}
