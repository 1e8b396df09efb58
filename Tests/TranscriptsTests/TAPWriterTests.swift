import JSON
import Testing
import Transcripts

struct TAPWriterTests {
    @Test func writesASubtestForEachFile() {
        var lines: [String] = []
        var results = TAPWriter { lines.append($0) }
        results.begin(files: 2)
        results.beginFile("a #1.jsonl", steps: 2)
        results.step("line 2: m", nil)
        results.step("line 3: a\\b\nc", [.init("message", "x: \"y\""), .init("got", ["a": [1]])])
        results.endFile("a #1.jsonl")
        results.beginFile("b.jsonl", steps: 1)
        results.step("end", nil)
        results.endFile("b.jsonl")
        results.bailOut("it ended\nearly")
        let expected = ##"""
            TAP version 14
            1..2
            # Subtest: a \#1.jsonl
                1..2
                ok 1 - line 2: m
                not ok 2 - line 3: a\\b c
                  ---
                  message: "x: \"y\""
                  got: {"a":[1]}
                  ...
            not ok 1 - a \#1.jsonl
            # Subtest: b.jsonl
                1..1
                ok 1 - end
            ok 2 - b.jsonl
            Bail out! it ended early
            """##
        #expect(lines.joined(separator: "\n") == expected)
        #expect(results.total == (3, 1))
    }
}
