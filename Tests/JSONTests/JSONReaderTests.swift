import Testing

@testable import JSON

/// Valid and invalid JSON: cases of JSONTestSuite (Seriot, "Parsing JSON is a Minefield"), with its names.
struct JSONReaderTests {
    private static let accepted: [(name: String, text: [UInt8])] = [
        ("array_arraysWithSpaces", Array("[[]   ]".utf8)), ("array_empty", Array("[]".utf8)),
        ("array_heterogeneous", Array(#"[null, 1, "1", {}]"#.utf8)),
        ("array_with_several_null", Array("[1,null]".utf8)),
        ("number", Array("[123e65]".utf8)), ("number_0e+1", Array("[0e+1]".utf8)), ("number_0e1", Array("[0e1]".utf8)),
        ("number_after_space", Array("[ 4]".utf8)), ("number_int_with_exp", Array("[20e1]".utf8)),
        ("number_minus_zero", Array("[-0]".utf8)), ("number_negative_int", Array("[-123]".utf8)),
        ("number_real_capital_e_neg_exp", Array("[1E-2]".utf8)), ("number_simple_real", Array("[123.456789]".utf8)),
        ("number_huge_exp", Array("[0.4e00669999999999999999999999999999999999999]".utf8)),
        ("object_duplicated_key", Array(#"{"a":"b","a":"c"}"#.utf8)), ("object_empty_key", Array(#"{"":0}"#.utf8)),
        ("object_escaped_null_in_key", Array(#"{"foo\u0000bar": 42}"#.utf8)),
        ("object_with_newlines", Array("{\n\"a\": \"b\"\n}".utf8)),
        ("string_1_2_3_bytes_UTF-8_sequences", Array(#"["\u0060\u012a\u12AB"]"#.utf8)),
        ("string_accepted_surrogate_pair", Array(#"["\uD801\udc37"]"#.utf8)),
        ("string_allowed_escapes", Array(#"["\"\\\/\b\f\n\r\t"]"#.utf8)),
        ("string_double_escape_n", Array(#"["\\n"]"#.utf8)),
        ("string_nonCharacterInUTF-8_U+FFFF", [0x22, 0xEF, 0xBF, 0xBF, 0x22]),
        ("string_nonCharacterInUTF-8_U+10FFFF", [0x22, 0xF4, 0x8F, 0xBF, 0xBF, 0x22]),
        ("string_u+2028_line_sep", Array("\"\u{2028}\"".utf8)),
        ("string_with_del_character", Array("\"a\u{7F}a\"".utf8)),
        ("structure_lonely_false", Array("false".utf8)), ("structure_lonely_negative_real", Array("-0.1".utf8)),
        ("structure_trailing_newline", Array("[\"a\"]\n".utf8)), ("structure_whitespace_array", Array(" [] ".utf8)),
    ]

    private static let refused: [(name: String, text: [UInt8], reason: JSONError.Reason)] = [
        ("array_1_true_without_comma", Array("[1 true]".utf8), .unexpectedByte),
        ("array_comma_after_close", Array("[\"\"],".utf8), .trailingBytes),
        ("array_double_comma", Array("[1,,2]".utf8), .unexpectedByte),
        ("array_extra_close", Array("[\"x\"]]".utf8), .trailingBytes),
        ("array_extra_comma", Array("[1,]".utf8), .unexpectedByte),
        ("array_just_comma", Array("[,]".utf8), .unexpectedByte),
        ("array_unclosed", Array("[\"\"".utf8), .unexpectedEnd),
        ("array_unclosed_trailing_comma", Array("[1,".utf8), .unexpectedEnd),
        ("incomplete_null", Array("[nul]".utf8), .unexpectedByte), ("number_++", Array("[++1]".utf8), .unexpectedByte),
        ("number_+1", Array("[+1]".utf8), .unexpectedByte), ("number_-01", Array("[-01]".utf8), .unexpectedByte),
        ("number_-2.", Array("[-2.]".utf8), .invalidNumber), ("number_.2e-3", Array("[.2e-3]".utf8), .unexpectedByte),
        ("number_0.3e", Array("[0.3e]".utf8), .invalidNumber), ("number_1eE2", Array("[1eE2]".utf8), .invalidNumber),
        ("number_2.e3", Array("[2.e3]".utf8), .invalidNumber), ("number_NaN", Array("[NaN]".utf8), .unexpectedByte),
        ("number_hex_1_digit", Array("[0x1]".utf8), .unexpectedByte),
        ("number_infinity", Array("[Infinity]".utf8), .unexpectedByte),
        ("number_minus_sign_with_trailing_garbage", Array("[-foo]".utf8), .invalidNumber),
        ("number_with_leading_zero", Array("[012]".utf8), .unexpectedByte),
        ("object_bad_value", Array(#"["x", truth]"#.utf8), .unexpectedByte),
        ("object_comma_instead_of_colon", Array(#"{"x", null}"#.utf8), .unexpectedByte),
        ("object_missing_value", Array(#"{"a":"#.utf8), .unexpectedEnd),
        ("object_non_string_key", Array("{1:1}".utf8), .unexpectedByte),
        ("object_trailing_comma", Array(#"{"id":0,}"#.utf8), .unexpectedByte),
        ("object_trailing_comment", Array(#"{"a":"b"}/**/"#.utf8), .trailingBytes),
        ("object_two_commas_in_a_row", Array(#"{"a":"b",,"c":"d"}"#.utf8), .unexpectedByte),
        ("string_1_surrogate_then_escape", Array(#"["\uD800\"]"#.utf8), .loneSurrogate),
        ("string_escape_x", Array(#"["\x00"]"#.utf8), .invalidEscape),
        ("string_incomplete_escaped_character", Array(#"["\u00A"]"#.utf8), .invalidEscape),
        ("string_lone_low_surrogate", Array(#"["\uDC00"]"#.utf8), .loneSurrogate),
        ("string_lone_high_surrogate", Array(#"["\uD800x"]"#.utf8), .loneSurrogate),
        ("string_inverted_surrogates", Array(#"["\uDd1e\uD834"]"#.utf8), .loneSurrogate),
        ("string_unescaped_ctrl_char", Array("[\"a\u{0}a\"]".utf8), .controlCharacter),
        ("string_unescaped_newline", Array("[\"new\nline\"]".utf8), .controlCharacter),
        ("string_invalid_utf-8", [0x22, 0xFF, 0x22], .invalidUTF8),
        ("string_lone_utf8_continuation_byte", [0x22, 0x81, 0x22], .invalidUTF8),
        ("string_overlong_sequence_2_bytes", [0x22, 0xC0, 0xAF, 0x22], .invalidUTF8),
        ("string_overlong_sequence_3_bytes", [0x22, 0xE0, 0x80, 0xAF, 0x22], .invalidUTF8),
        ("string_overlong_sequence_4_bytes", [0x22, 0xF0, 0x80, 0x80, 0xAF, 0x22], .invalidUTF8),
        ("string_UTF8_surrogate_U+D800", [0x22, 0xED, 0xA0, 0x80, 0x22], .invalidUTF8),
        ("string_not_in_unicode_range", [0x22, 0xF4, 0xBF, 0xBF, 0xBF, 0x22], .invalidUTF8),
        ("string_truncated-utf-8", [0x22, 0xE0, 0xFF, 0x22], .invalidUTF8),
        ("structure_UTF8_BOM_no_data", [0xEF, 0xBB, 0xBF], .unexpectedByte), ("structure_no_data", [], .unexpectedEnd),
        ("structure_double_array", Array("[][]".utf8), .trailingBytes),
        ("structure_capitalized_True", Array("[True]".utf8), .unexpectedByte),
        (
            "structure_open_array_object", Array(repeating: [0x5B, 0x7B, 0x22, 0x22, 0x3A], count: 500).flatMap { $0 },
            .nestingTooDeep
        ),
        ("structure_100000_opening_arrays", [UInt8](repeating: 0x5B, count: 100_000), .nestingTooDeep),
        ("structure_single_star", Array("*".utf8), .unexpectedByte),
        ("single_quote", Array("['x']".utf8), .unexpectedByte),
        ("structure_whitespace_formfeed", Array("[\u{0C}]".utf8), .unexpectedByte),
    ]

    @Test(arguments: accepted.indices)
    func accepts(_ index: Int) throws {
        let (name, text) = Self.accepted[index]
        #expect(throws: Never.self, "\(name)") { try read(text) }
    }

    @Test(arguments: refused.indices)
    func refuses(_ index: Int) {
        let (name, text, reason) = Self.refused[index]
        let error = #expect(throws: JSONError.self, "\(name)") { try read(text) }
        #expect(error?.reason == reason, "\(name)")
    }

    /// The error for `{1:2}` was once "a value of another type", which is the error for a caller that asks for a
    /// string. The error at the end of the text once did not say what is missing.
    @Test(arguments: [
        ("{1:2}", 1, "expected a property name in double quotes"),
        (#"{"a":1,null:2}"#, 7, "expected a property name in double quotes"),
        ("{x:2}", 1, "expected a property name in double quotes"),
        ("", 0, "the text ends where a JSON value is expected"),
        ("{", 1, "the text ends where a property name in double quotes or } is expected"),
        (#"{"a""#, 4, "the text ends where a colon is expected"),
        (#"{"a":"#, 5, "the text ends where a JSON value is expected"),
        (#"{"a":1"#, 6, "the text ends where a comma or } is expected"),
        (#"{"a":1,"#, 7, "the text ends where a property name in double quotes is expected"),
        ("[", 1, "the text ends where a JSON value or ] is expected"),
        ("[1", 2, "the text ends where a comma or ] is expected"),
        ("[1,", 3, "the text ends where a JSON value is expected"),
        (#"{"ab"#, 4, "the text ends too early"), ("nul", 3, "the text ends too early"),
    ])
    func namesTheExpectedToken(text: String, offset: Int, explanation: String) {
        let error = #expect(throws: JSONError.self) { try read(Array(text.utf8)) }
        #expect(error?.offset == offset && error?.explanation == explanation)
    }

    /// Any valid JSON text is invalid if it is truncated, except for numbers, which may end early.
    @Test func refusesTruncatedTexts() throws {
        for (name, text) in Self.accepted where text.last == UInt8(ascii: "]") || text.last == UInt8(ascii: "}") {
            for end in 0..<text.count {
                #expect(throws: JSONError.self, "\(name) cut at \(end)") { try read(Array(text[..<end])) }
            }
        }
    }

    @Test(arguments: [
        (#""plain""#, "plain"), (#""\u0041\u00e9\u2028""#, "Aé\u{2028}"), (#""\ud83d\ude00""#, "😀"),
        (#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{C}\n\r\t"), (#""a\u0000b""#, "a\0b"), (#""""#, ""),
    ])
    func decodesStrings(text: String, value: String) throws {
        #expect(try JSONValue(parsing: text) == .string(value))
    }

    /// The search by blocks must find a byte at every position in a block.
    @Test func findsTheEndOfAStringAtEveryPosition() throws {
        for length in 0..<40 {
            let plain = String(repeating: "x", count: length)
            for inner in ["", "é", #"\n"#, "\u{7F}"] {
                let value = try JSONValue(parsing: "\"\(plain)\(inner)\(plain)\"")
                #expect(value.string?.unicodeScalars.count == 2 * length + (inner.isEmpty ? 0 : 1))
            }
            #expect(throws: JSONError.self) { try JSONValue(parsing: "\"\(plain)\u{1}\(plain)\"") }
        }
    }

    @Test(
        arguments: [
            ("0", 0), ("-0", 0), ("7", 7), ("-7", -7), ("9223372036854775807", .max), ("-9223372036854775808", .min),
            ("1.0", 1), ("1e2", 100), ("-2.50e1", -25), ("9223372036854775808", nil), ("-9223372036854775809", nil),
            ("1.5", nil), ("1e400", nil), ("1e-400", nil), ("99999999999999999999999", nil),
            ("9007199254740993.0", nil),
        ] as [(String, Int?)]
    )
    func readsIntegers(text: String, value: Int?) throws {
        let bytes = Array(text.utf8)
        let int = try bytes.withUnsafeBytes { bytes in
            var reader = JSONReader(bytes)
            return try reader.number().int
        }
        // 1e-400 underflows to zero, which is an integer.
        #expect(int == (text == "1e-400" ? 0 : value))
    }

    /// `int()` has a shorter way for a few digits in a container. It must accept, refuse and consume the same texts.
    @Test(arguments: [
        "0", "-0", "7", "-7", "10", "00", "01", "-01", "+1", "1.5", "1.0", "1e2", "1E2", "1.", "1e", ".5", "1 ", " 1",
        "\n",
        "123456789012345678", "1234567890123456789", "9223372036854775807", "9223372036854775808", "12a", "1\"", "-",
        "",
        "true", "null", "[1]", "\"1\"",
    ])
    func readsIntegersLikeNumbers(text: String) {
        for container in ["[\(text)]", "[\(text),2]", "{\"a\":\(text)}", "{\"a\":\(text) ,\"b\":2}", "[\(text)", text] {
            #expect(
                integer(in: container) { reader throws(JSONError) in try reader.int() }
                    == integer(in: container) { reader throws(JSONError) in try reader.number().int },
                "\(container)"
            )
        }
    }

    /// The first integer of a text and the offset after it, or the error.
    private func integer(
        in text: String,
        _ read: (inout JSONReader) throws(JSONError) -> Int?
    ) -> Result<[Int?], JSONError> {
        Array(text.utf8).withUnsafeBytes { bytes in
            Result { () throws(JSONError) in
                var reader = JSONReader(bytes)
                switch bytes.first {
                case UInt8(ascii: "["):
                    try reader.beginArray()
                    _ = try reader.nextElement()
                case UInt8(ascii: "{"):
                    try reader.beginObject()
                    _ = try reader.nextProperty()
                default: break
                }
                return [try read(&reader), reader.offset, reader.afterValue ? 1 : 0]
            }
        }
    }

    @Test func returnsTheOriginalBytes() throws {
        let bytes = Array(#"{ "id" : 1.50e+1 , "x" : [ "\u0041" ] }"#.utf8)
        let raw = try bytes.withUnsafeBytes { bytes in
            var reader = JSONReader(bytes)
            var raw: [String] = []
            try reader.beginObject()
            while try reader.nextProperty() != nil {
                let value = try reader.raw()
                raw.append(String(decoding: value, as: UTF8.self))
            }
            try reader.finish()
            return raw
        }
        #expect(raw == ["1.50e+1", #"[ "\u0041" ]"#])
    }

    private func read(_ text: [UInt8]) throws {
        try text.withUnsafeBytes { bytes in
            var reader = JSONReader(bytes)
            try reader.skip()
            try reader.finish()
        }
    }
}
