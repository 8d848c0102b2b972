// Gen boils the npm package @aws-cdk/aws-service-spec down to the table that
// package spec embeds. It reads the package's folder, in which package.json
// tells the version and db.json.gz is the specification:
//
//	go run ./spec/gen -source DIR/node_modules/@aws-cdk/aws-service-spec -out spec/table.bin
package main

import (
	"flag"
	"fmt"
	"log"
	"os"
)

func main() {
	log.SetFlags(0)
	from := flag.String("source", "", "the folder of @aws-cdk/aws-service-spec")
	out := flag.String("out", "spec/table.bin", "where the table goes")
	flag.Parse()
	if err := generate(*from, *out); err != nil {
		log.Fatalf("generating %s: %v", *out, err)
	}
}

func generate(from, out string) error {
	src, err := read(from)
	if err != nil {
		return err
	}
	if err := src.complete(); err != nil {
		return fmt.Errorf("adding to the source: %w", err)
	}
	return os.WriteFile(out, boil(src), 0o644)
}
