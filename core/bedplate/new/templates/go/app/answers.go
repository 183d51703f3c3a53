package main

import (
	"cmp"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"bedplate-my-thing/pb/record"
)

// endpoint is a running Bedplate as `bedplate run` announces it to its user.
type endpoint struct{ Address, Token string }

// announced is the Bedplate of this user, or the one of $BEDPLATE_ENDPOINT with $BEDPLATE_TOKEN.
func announced() (found endpoint, err error) {
	if named := os.Getenv("BEDPLATE_ENDPOINT"); named != "" {
		return endpoint{named, os.Getenv("BEDPLATE_TOKEN")}, nil
	}
	config, _ := os.UserConfigDir()
	folder := filepath.Join(cmp.Or(os.Getenv("BEDPLATE_HOME"), filepath.Join(config, "bedplate")), "endpoints")
	files, _ := filepath.Glob(filepath.Join(folder, "*.json"))
	if len(files) != 1 {
		return found, fmt.Errorf("%s names %d running Bedplates, not one; BEDPLATE_ENDPOINT can say which", folder, len(files))
	}
	text, err := os.ReadFile(files[0])
	if err == nil {
		err = json.Unmarshal(text, &found)
	}
	return found, err
}

type names map[uint32]string // handle → path

func (n names) learn(tables []*record.TagTable) {
	for _, table := range tables {
		for _, tag := range table.Tags {
			n[tag.Handle] = tag.Path
		}
	}
}

// rows are path, time in UTC, value and quality: one a sample. A column has an entry for each, or one that stands for all.
func (n names) rows(b *record.Batch) (found [][]string) {
	for i := range int(b.GetCount()) {
		quality := strconv.FormatUint(uint64(at(b.Quality, i)), 10)
		found = append(found, []string{n[at(b.Tag, i)], nanoseconds(at(b.Time, i)), value(b, i), quality})
	}
	return found
}

func at[T any](column []T, i int) (none T) {
	if len(column) == 0 {
		return none
	}
	return column[min(i, len(column)-1)]
}

func value(b *record.Batch, i int) string {
	switch b.DataType {
	case record.DataType_DATA_TYPE_FLOAT64:
		return decimal(b.Float64[i])
	case record.DataType_DATA_TYPE_INT64:
		return strconv.FormatInt(b.Int64[i], 10)
	case record.DataType_DATA_TYPE_UINT64:
		return strconv.FormatUint(b.Uint64[i], 10)
	case record.DataType_DATA_TYPE_BOOL:
		return strconv.FormatBool(b.Bool[i] == 1)
	}
	from := uint32(0)
	if i > 0 {
		from = b.End[i-1]
	}
	if b.DataType == record.DataType_DATA_TYPE_TEXT {
		return string(b.Text[from:b.End[i]])
	}
	return hex.EncodeToString(b.Blob[from:b.End[i]])
}
