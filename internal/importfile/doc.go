// Package importfile reads the entries of an import from the formats in which people keep catalogues: a JSON value on
// each line, a JSON array, and tables (CSV or TSV) with a header, in UTF-8 or UTF-16.
//
// The content decides the format, not the name or the declared type. Any other content is named in one error, which
// says how to convert it. Memory stays bounded, however long the input: an entry has at most [MaxBytes], and a longer
// one is reported without its text. An entry that cannot be read is reported with its line, and reading continues.
//
// The package must not know what an entry means. [Options] name the columns of tables that are fields.
package importfile
