/// How another program has started this one, to ask one question.
package struct ProgramCall {
    /// The value of an environment variable; nil if it is not set.
    package let variable: (_ name: String) -> [UInt8]?
    /// Reads the argument's file, or stdin if there is no argument, to its end: at most one byte more than the maximum.
    package let read: (_ bytesMax: Int) throws -> [UInt8]
    /// Whether there is an argument.
    package let hasFile: Bool

    package init(
        variable: @escaping (_ name: String) -> [UInt8]?,
        read: @escaping (_ bytesMax: Int) throws -> [UInt8],
        hasFile: Bool
    ) {
        (self.variable, self.read, self.hasFile) = (variable, read, hasFile)
    }

    /// The value of a variable that the convention always sets.
    func needed(_ name: String, _ hint: String = "") throws -> [UInt8] {
        guard let value = variable(name) else { throw CallFault("the environment has no \(name)\(hint)") }
        return value
    }

    /// The value of a variable as a text; empty if it is not set or not UTF-8.
    func text(_ name: String) -> String {
        variable(name).flatMap { String(validating: $0, as: UTF8.self) } ?? ""
    }
}

/// A call that is not made as the convention says: a mistake in the other program's configuration, and no attempt.
package struct CallFault: Error, CustomStringConvertible {
    package let description: String

    init(_ description: String) {
        self.description = description
    }
}

/// A program that starts this one for each attempt to sign in.
protocol OneShotProgram {
    /// What a call asks.
    ///
    /// - Throws: `CallFault`; what reading the input throws.
    static func question(in call: ProgramCall) throws -> Question

    /// The variables of the environment that have a password.
    static var secretVariables: [String] { get }

    /// What to print, beside the exit code.
    static func output(_ verdict: Verdict, in call: ProgramCall) -> String
}

extension OneShotProgram {
    /// For programs that pass no password in the environment.
    static var secretVariables: [String] { [] }

    /// For programs that look only at the exit code.
    static func output(_ verdict: Verdict, in call: ProgramCall) -> String { "" }
}

/// The conventions of programs that start this one for each attempt: the values of `postern verify --as`.
package enum OneShotConvention: String, CaseIterable, Sendable {
    case authnz, pam, openvpn, env, json

    private var program: any OneShotProgram.Type {
        switch self {
        case .authnz: ApacheAuthnz.self
        case .pam: PAMExec.self
        case .openvpn: OpenVPN.self
        case .env: HomeAssistant.self
        case .json: SFTPGo.self
        }
    }

    /// Whether the convention may name a file in an argument.
    package var takesFile: Bool { self == .openvpn }

    /// What a call asks.
    ///
    /// - Throws: `CallFault`; what reading the input throws.
    package func question(in call: ProgramCall) throws -> Question { try program.question(in: call) }

    /// The variables of the environment that have a password.
    package var secretVariables: [String] { program.secretVariables }

    /// What to print, beside the exit code; empty for nothing.
    package func output(_ verdict: Verdict, in call: ProgramCall) -> String {
        program.output(verdict, in: call)
    }
}
