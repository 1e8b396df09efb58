import Foundation
import JSON
import PosternTesting
import Testing

/// Mistakes that people make at first, and the one line that says what to do instead.
struct MistakeTests {
    /// What is done, and the line that comes of it, whole.
    struct Mistake: CustomTestStringConvertible, Sendable {
        let arguments: [String]
        let environment: [String: String]
        let line: String

        init(_ arguments: [String], environment: [String: String] = [:], _ line: String) {
            self.arguments = arguments
            self.environment = environment
            self.line = line
        }

        var testDescription: String { arguments.joined(separator: " ") }
    }

    private static let commandLine: [Mistake] = [
        Mistake(["--dta", "x"], "unknown flag --dta (did you mean --data?)"),
        Mistake(["--Log_Level", "info"], "unknown flag --Log_Level (did you mean --log-level?)"),
        Mistake(["-data", "x"], "unknown flag -data (did you mean --data?)"),
        Mistake(
            ["--port", "8080"],
            "unknown flag --port: postern has no port, requests come on stdin and replies go to stdout"
        ),
        Mistake(
            ["--listen=:80"],
            "unknown flag --listen=:80: postern has no port, requests come on stdin and replies go to stdout"
        ),
        Mistake(["server"], "unknown command server (did you mean serve?)"),
        Mistake(["./data"], "unknown command ./data; a data directory is named by --data ./data"),
        Mistake(
            ["operators.signin", "{}"],
            "unknown command operators.signin; a method is called by postern call operators.signin"
        ),
        Mistake(["help", "outbux"], "unknown command outbux (did you mean outbox?)"),
        Mistake(["stats", "--role", "admin"], "--role is no flag of postern stats; it belongs to postern invite"),
        Mistake(
            ["--mail", "smtp://mail.example.com"],
            "--mail takes keep|directory:DIR|command:COMMAND, not smtp://mail.example.com: SMTP is not supported yet; use a "
                + "program that sends, as in --mail 'command:sendmail -t -i'"
        ),
        Mistake(
            ["--clock", "2016-02-24", "--seed", "7"],
            "--clock takes TIME, not 2016-02-24: a date and a time with microseconds in UTC, such as "
                + "2016-02-24T22:07:52.371513Z"
        ),
        Mistake(
            ["--tools", "operator"],
            "--tools takes operators,care,sales,system|read-only, not operator"
        ),
        Mistake(
            ["--data", ":memory:"],
            environment: ["POSTERN_FRAMING": "lines"],
            "POSTERN_FRAMING takes auto|line|header, not lines"
        ),
    ]

    @Test(arguments: commandLine)
    func aWrongCommandLineIsToldWhatToDo(mistake: Mistake) throws {
        let outcome = try PosternProcess.run(mistake.arguments, environment: mistake.environment)
        #expect(outcome.status == 64 && outcome.output == "")
        #expect(outcome.errors == "postern: \(mistake.line); see postern --help\n")
    }

    /// A misspelt variable silently did nothing.
    @Test(arguments: [
        ("POSTERN_DTA", "the environment has POSTERN_DTA, which is no flag (did you mean POSTERN_DATA?)"),
        ("POSTERN_PORTS", "the environment has POSTERN_PORTS, which is no flag"),
    ])
    func anUnknownVariableIsWarnedOf(name: String, message: String) throws {
        let environment = [name: "x", "POSTERN_BIN": "/usr/bin/postern", "POSTERN_DATA": ":memory:"]
        let outcome = try PosternProcess.run([], environment: environment)
        #expect(outcome.status == 0)
        #expect(outcome.errors.hasSuffix(" level=warning message=\"\(message)\"\n"))
        #expect(outcome.errors.filter { $0 == "\n" }.count == 1)
    }
}
