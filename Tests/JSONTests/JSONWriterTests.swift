import Testing

@testable import JSON

struct JSONWriterTests {
    @Test func separatesElementsWithCommas() {
        var writer = JSONWriter()
        writer.beginObject()
        writer.property("id")
        writer.int(7)
        writer.property("tags")
        writer.beginArray()
        writer.string("a")
        writer.beginObject()
        writer.endObject()
        writer.beginArray()
        writer.endArray()
        writer.null()
        writer.endArray()
        writer.property("isOpen")
        writer.bool(false)
        writer.endObject()
        writer.newline()
        writer.int(nil)
        #expect(text(writer) == #"{"id":7,"tags":["a",{},[],null],"isOpen":false}"# + "\nnull")
    }

    @Test func growsOnDemandAndKeepsItsMemory() {
        var writer = JSONWriter(capacity: 0)
        #expect(writer.capacity == 0 && writer.bytes.isEmpty)
        for number in 0..<1_000 { writer.int(number) }
        #expect(text(writer) == (0..<1_000).map { "\($0)" }.joined(separator: ","))
        let capacity = writer.capacity
        #expect(writer.count <= capacity && capacity < 2 * writer.count + 64)
        writer.truncate(to: 0)
        #expect(writer.capacity == capacity)
    }

    @Test(arguments: [
        ("plain é 😀", #""plain é 😀""#), ("\"\\/", #""\"\\/""#), ("\u{8}\t\n\u{C}\r", #""\b\t\n\f\r""#),
        ("\0\u{1F}\u{7F}", "\"\\u0000\\u001f\u{7F}\""), ("\u{2028}\u{2029}\u{2027}", "\"\\u2028\\u2029\u{2027}\""),
        ("", #""""#),
    ])
    func escapesStrings(value: String, expected: String) {
        var writer = JSONWriter()
        writer.string(value)
        #expect(text(writer) == expected)
    }

    @Test(arguments: [
        0, 1, -1, 9, 10, -10, 99, 100, 9_999, 10_000, 99_999_999, 100_000_000, -99_999_999, 1_234_567_890, .max, .min,
    ])
    func writesIntegers(value: Int) {
        var writer = JSONWriter()
        writer.int(value)
        #expect(text(writer) == String(value))
    }

    @Test func truncatesItsOutput() {
        var writer = JSONWriter()
        writer.beginArray()
        writer.int(1)
        let count = writer.count
        writer.string("gone")
        writer.truncate(to: count)
        writer.int(2)
        writer.endArray()
        #expect(text(writer) == "[1,2]")
        #expect(writer.take() == Array("[1,2]".utf8))
        #expect(writer.count == 0)
    }

    @Test(arguments: [
        #"{"a":[1,2.50,-0,1e400,"x",null,true,{}],"b":"\u2028"}"#, "[]", "\"\"", "18446744073709551616",
        "{\"\":{\"\":[[]]}}",
    ])
    func writesWhatItRead(text: String) throws {
        #expect(try JSONValue(parsing: text).text == text)
        #expect(try JSONValue(parsing: JSONValue(parsing: text).prettyText) == JSONValue(parsing: text))
    }

    private func text(_ writer: borrowing JSONWriter) -> String { String(decoding: writer.bytes, as: UTF8.self) }
}
