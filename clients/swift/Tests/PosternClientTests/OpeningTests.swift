import PosternClient
import Testing

/// What becomes of opening where the program cannot serve.
struct OpeningTests {
    @Test(arguments: [["--no-such-flag"], ["--data", "/dev/null/nowhere"]])
    func aProgramThatCannotServeFailsToOpen(arguments: [String]) {
        let error = #expect(throws: PosternError.self) {
            try Postern(binary: Binaries.postern, arguments: arguments, onLog: { _ in })
        }
        #expect(error?.end?.lastLogLines.last?.contains(arguments.last ?? "") == true)
    }
}

/// What texts for people show of values that have secrets.
struct RedactedTests {
    @Test func textsHaveNoSecrets() {
        let person = OperatorsPerson(id: 1, created: "now", firstName: "Luke", lastName: "S", email: "lasoren@bu.edu")
        let operatorOne = OperatorsOperator(id: 7, created: "now", user: person, sessionID: "a secret")
        var dumped = ""
        dump(operatorOne, to: &dumped)
        let texts = [
            "\(operatorOne)", String(reflecting: operatorOne), String(describing: [operatorOne]),
            "\(Optional(operatorOne) as Any)", String(describing: (1, operatorOne)), dumped,
        ]
        for text in texts {
            #expect(!text.contains("a secret"))
            #expect(text.contains("<redacted>"))
            #expect(text.contains("Luke"))
        }
    }
}
