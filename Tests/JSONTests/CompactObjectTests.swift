import Testing

@testable import JSON

struct CompactObjectTests {
    private func object(_ text: String, depthMax: Int = 128) throws -> CompactObject {
        try Array(text.utf8).withUnsafeBytes { bytes in
            var reader = JSONReader(bytes, depthMax: depthMax)
            let object = try CompactObject(reading: &reader)
            try reader.finish()
            return object
        }
    }

    private func compact(_ text: String) throws -> String {
        String(decoding: try object(text).bytes, as: UTF8.self)
    }

    private static let forms = [
        ("{}", "{}"), (" {\n\t} ", "{}"), (#"{"":{"":[]}}"#, #"{"":{"":[]}}"#),
        (#"{ "b" : 1 , "a" : [ true , false , null ] }"#, #"{"b":1,"a":[true,false,null]}"#),
        // Numbers keep their digits.
        (
            #"{"n":[12345678901234567890123,-0,0.10,1E+400,1e5,-1.50e-07]}"#,
            #"{"n":[12345678901234567890123,-0,0.10,1E+400,1e5,-1.50e-07]}"#
        ),
        // Strings keep only the escapes that they need, and get the one that lines need.
        (#"{"\u0061\/":"\u00e9\uD83E\udda9"}"#, #"{"a/":"é🦩"}"#),
        (#"{"a":"\u000a\u0022\u005c\u0000\u001f\b"}"#, #"{"a":"\n\"\\\u0000\u001f\b"}"#),
        ("{\"\u{2028}\":\"\u{2029}\"}", #"{"\u2028":"\u2029"}"#), (#"{"a":"\u2028"}"#, #"{"a":"\u2028"}"#),
        // A string that ends like a container or a line needs a comma after it.
        (#"{"a":["{","[",":","\n",1]}"#, #"{"a":["{","[",":","\n",1]}"#),
        // Names are compared by their bytes, not as Unicode: these two are one letter with two spellings.
        (#"{"\u00e9":1,"e\u0301":2}"#, "{\"\u{E9}\":1,\"e\u{301}\":2}"),
        (#"{"a":{"x":1},"b":{"x":1}}"#, #"{"a":{"x":1},"b":{"x":1}}"#),
    ]

    @Test(arguments: forms)
    func isTheShortestFormOfTheText(text: String, form: String) throws {
        #expect(try compact(text) == form)
        // The form is stable, and equal texts are equal objects.
        #expect(try compact(form) == form)
        #expect(try object(text) == object(form))
    }

    @Test func differsByOrderAndDigits() throws {
        #expect(try object(#"{"a":1,"b":2}"#) != object(#"{"b":2,"a":1}"#))
        #expect(try object(#"{"a":1}"#) != object(#"{"a":1.0}"#))
        #expect(try object("{ }") == CompactObject())
    }

    @Test(arguments: [
        ("{}", 1), (#"{"a":1,"b":""}"#, 1), (#"{"a":[[]],"b":{}}"#, 3), (#"{"a":{"b":[1,{"c":[]}]}}"#, 5),
    ])
    func countsTheLevels(text: String, depth: Int) throws {
        #expect(try object(text).depth == depth)
    }

    private static let faults: [(text: String, reason: JSONError.Reason)] = [
        ("[]", .typeMismatch), ("null", .typeMismatch), (#""{}""#, .typeMismatch), ("7", .typeMismatch),
        ("true", .typeMismatch), (#"{"a":1,"a":1}"#, .duplicateProperty), (#"{"a":1,"\u0061":2}"#, .duplicateProperty),
        (#"{"x":[{"y":{"a":1,"b":2,"a":3}}]}"#, .duplicateProperty), (#"{"":0,"":0}"#, .duplicateProperty),
        (#"{"a":1,}"#, .unexpectedByte), (#"{"a":01}"#, .unexpectedByte), (#"{"a":"\ud800"}"#, .loneSurrogate),
        (#"{"a":[1}"#, .unexpectedByte), (#"{"a":"#, .unexpectedEnd), ("{}{}", .trailingBytes), ("", .unexpectedEnd),
    ]

    @Test(arguments: faults)
    func refuses(text: String, reason: JSONError.Reason) {
        let error = #expect(throws: JSONError.self) { try object(text) }
        #expect(error?.reason == reason)
    }

    @Test func refusesMoreLevelsThanTheReader() throws {
        let text = #"{"a":"# + String(repeating: "[", count: 9) + String(repeating: "]", count: 9) + "}"
        #expect(try object(text, depthMax: 10).depth == 10)
        let error = #expect(throws: JSONError.self) { try object(text, depthMax: 9) }
        #expect(error?.reason == .nestingTooDeep)
    }

    /// It is read and written between other properties of an object.
    @Test func isReadAndWrittenInPlace() throws {
        let text = #"{"before":1,"object":{"a":[{}]},"after":2}"#
        var writer = JSONWriter()
        try Array(text.utf8).withUnsafeBytes { bytes in
            var reader = JSONReader(bytes)
            try reader.beginObject()
            writer.beginObject()
            while let name = try reader.nextProperty() {
                writer.property(named: name.string)
                if name.equals("object") {
                    try CompactObject(reading: &reader).write(to: &writer)
                } else {
                    writer.raw(try reader.raw())
                }
            }
            writer.endObject()
            try reader.finish()
        }
        #expect(String(decoding: writer.bytes, as: UTF8.self) == text)
    }
}
