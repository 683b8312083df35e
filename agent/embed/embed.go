// Package embed is the offline embedder: feature hashing of words and character n-grams of any script. It needs no model,
// is the same everywhere, and finds texts that share words and stems; it knows nothing of meaning.
package embed

import (
	"context"
	"math"
	"strings"
	"unicode"

	"github.com/teapot-tee/teapot/agent/model"
)

// Dimensions of every vector, as of Eliza's local embedding.
const Dimensions = 384

// Offline is the embedder. The zero value works.
type Offline struct{}

var _ model.Embedder = Offline{}

// Name says which vectors can be compared.
func (Offline) Name() string { return "teapot-hash-1" }

// Dimensions is the constant.
func (Offline) Dimensions() int { return Dimensions }

// Embed makes one unit vector per text; a text without letters or digits has the zero vector.
func (Offline) Embed(ctx context.Context, texts []string) ([][]float32, error) {
	out := make([][]float32, len(texts))
	for i, text := range texts {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		out[i] = Vector(text)
	}
	return out, nil
}

// maxRunes bounds the work for one text.
const maxRunes = 8192

// Vector is the embedding of one text.
func Vector(text string) []float32 {
	v := make([]float32, Dimensions)
	n := 0
	for word := range strings.FieldsFuncSeq(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		runes := []rune(word)
		if n += len(runes); n > maxRunes {
			break
		}
		addWord(v, word, runes)
	}
	return unit(v)
}

// addWord adds a word and its pieces: for Han the characters and pairs, for others the word and its trigrams.
func addWord(v []float32, word string, runes []rune) {
	if unicode.Is(unicode.Han, runes[0]) {
		for i := range runes {
			add(v, string(runes[i]), 0.5)
			if i > 0 {
				add(v, string(runes[i-1:i+1]), 1)
			}
		}
		return
	}
	add(v, word, weight(word))
	if len(runes) > 3 && weight(word) == 1 {
		padded := append(append([]rune{'^'}, runes...), '$')
		for i := 0; i+3 <= len(padded); i++ {
			add(v, string(padded[i:i+3]), 0.3)
		}
	}
}

// weight is small for the words that every text has.
func weight(word string) float32 {
	if strings.Contains(common, " "+word+" ") {
		return 0.1
	}
	return 1
}

const common = " a an and are as at be but by can did do does for from had has have he her his how i if in is it its me my not of on or " +
	"our she so than that the their them then there they this to was we were what when where which who why will with would you your "

func add(v []float32, feature string, w float32) {
	h := uint64(14695981039346656037) // FNV-1a
	for i := 0; i < len(feature); i++ {
		h = (h ^ uint64(feature[i])) * 1099511628211
	}
	if h&(1<<63) != 0 {
		w = -w
	}
	v[(h>>8)%Dimensions] += w
}

func unit(v []float32) []float32 {
	var sum float64
	for _, x := range v {
		sum += float64(x) * float64(x)
	}
	if sum == 0 {
		return v
	}
	scale := float32(1 / math.Sqrt(sum))
	for i := range v {
		v[i] *= scale
	}
	return v
}

// Cosine is the similarity of two vectors of the same length: 1 the same direction, 0 nothing in common.
func Cosine(a, b []float32) float64 {
	if len(a) != len(b) {
		return 0
	}
	var dot, na, nb float64
	for i := range a {
		dot += float64(a[i]) * float64(b[i])
		na += float64(a[i]) * float64(a[i])
		nb += float64(b[i]) * float64(b[i])
	}
	if na == 0 || nb == 0 {
		return 0
	}
	return dot / math.Sqrt(na*nb)
}
