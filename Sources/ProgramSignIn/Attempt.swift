package import Accounts
import Platform

/// A person's attempt to sign in to another program, as that program reports it.
package struct Attempt: Sendable {
    /// What the person gave as a name. It is the email of an account, if it is an email at all.
    package let name: String
    /// The password as given. It may be empty or too long, which no password of an account is.
    package let password: Password
    /// The address that the person's client connects from; nil if the program does not report an IP address.
    package let ip: String?
    /// The other program, for the audit trail.
    package let agent: String

    /// - Parameters:
    ///   - name: a name that is not UTF-8 is no email.
    ///   - address: an address; any other text, such as the name of a host, is dropped.
    init(name: some Sequence<UInt8>, password: some Collection<UInt8>, from address: [UInt8]?, agent: String) {
        self.name = String(validating: Array(name), as: UTF8.self) ?? ""
        self.password = Password(password)
        ip = address.flatMap { String(validating: $0, as: UTF8.self) }.flatMap { InternetAddress($0) }?.text
        self.agent = agent
    }
}

/// What another program asks.
package enum Question: Sendable {
    /// Whether a person may sign in.
    case attempt(Attempt)
    /// Whether a name is the email of an account that may sign in.
    case isKnown(name: String)
    /// What is never granted, such as a change of a password, or an attempt that no account can have made. The reason
    /// is for the log.
    case refused(reason: String)
}

/// What another program is answered.
package enum Verdict: Sendable {
    /// The person may sign in.
    case yes(AccountSummary)
    /// The name is known.
    case known
    case no
    /// The store cannot be used now.
    case later
}
