package import JSON

/// Writes the results of transcripts in the Test Anything Protocol, version 14: a subtest for each file, with a test
/// point for each step. https://testanything.org/tap-version-14-specification.html
package struct TAPWriter {
    private let write: (String) -> Void
    private var fileCount = 0
    private var stepCount = 0
    private var failedSteps = 0
    /// How many test points of steps were written, and how many of them failed.
    package private(set) var total = (steps: 0, failures: 0)

    /// - Parameter write: writes one line.
    package init(write: @escaping (String) -> Void) {
        self.write = write
    }

    package func begin(files: Int) {
        write("TAP version 14")
        write("1..\(files)")
    }

    /// Begins the subtest of a file.
    package mutating func beginFile(_ name: String, steps: Int) {
        (stepCount, failedSteps) = (0, 0)
        write("# Subtest: \(Self.escaped(name))")
        write("    1..\(steps)")
    }

    /// Writes the result of a step.
    ///
    /// - Parameters:
    ///   - name: the step, as in `line 3: operators.signin`.
    ///   - diagnostics: properties of a failure, in their order; nil if the step went as it should.
    package mutating func step(_ name: String, _ diagnostics: [JSONValue.Property]?) {
        stepCount += 1
        total.steps += 1
        write("    \(diagnostics == nil ? "ok" : "not ok") \(stepCount) - \(Self.escaped(name))")
        guard let diagnostics else { return }
        failedSteps += 1
        total.failures += 1
        write("      ---")
        // YAML takes JSON values.
        for property in diagnostics { write("      \(property.name): \(property.value.text)") }
        write("      ...")
    }

    /// Ends the subtest of a file.
    package mutating func endFile(_ name: String) {
        fileCount += 1
        write("\(failedSteps == 0 ? "ok" : "not ok") \(fileCount) - \(Self.escaped(name))")
    }

    /// Says that no more tests can run.
    package func bailOut(_ reason: String) {
        write("Bail out! \(Self.escaped(reason))")
    }

    /// A text for a description: a `#` would begin a directive, and a line end would end the line.
    private static func escaped(_ text: String) -> String {
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "#", "\\": escaped += "\\\(scalar)"
            case "\n", "\r": escaped += " "
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }
}
