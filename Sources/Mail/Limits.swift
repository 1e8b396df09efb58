/// The limits of mail delivery, each with its unit in its name.
package enum Limits {
    /// Deliveries that run at once, so that one that hangs does not block the others.
    package static let deliveriesMax = 4
    /// How long a program that sends a mail may take.
    package static let programSeconds = 60
    /// How long a mail server may take for one mail: less than the program that speaks with it, which then still says
    /// why it failed.
    static let smtpSeconds = 50
    /// How long the connection to a mail server may take until it is signed in to. Some servers delay their greeting by
    /// 20 seconds or more, because programs that send spam do not wait.
    static let smtpConnectSeconds = 30
    /// Bytes in a password of a mail server.
    package static let smtpPasswordBytesMax = 512
    /// Bytes in the URL of a mail server.
    static let smtpURLBytesMax = 512
    /// Bytes of a line of a program's output that are kept. A reply of a mail server has at most 512 (RFC 5321
    /// §4.5.3.1.5).
    static let outputLineBytesMax = 1_000
    /// Bytes of a program's stderr that are shown: the last ones.
    static let errorOutputBytesMax = 500
    /// Bytes of stderr that are kept while the program runs: more than are shown, because words of the mail are
    /// replaced.
    static let errorOutputBytesKept = 2_048
    /// Bytes of an error message of the host that are kept.
    static let hostErrorBytesKept = 2_048
    /// The minimum length at which a word that also occurs in the mail is replaced. Codes and temporary passwords are
    /// longer.
    static let quotedWordBytesMin = 8
    /// How long a program that sends a mail may run after SIGTERM.
    static let killSeconds = 5
    /// How long a process claims a mail that it sends: longer than a delivery can take. If the process is killed,
    /// another one sends the mail after that time.
    static let claimSeconds = 120
    /// Attempts before a mail is given up.
    package static let attemptsMax = 10
    /// How long after the first attempt a mail is retried.
    package static let firstRetrySeconds = 60
    /// The maximum time between two attempts.
    package static let retrySecondsMax = 3_600
    /// How long the program waits for running deliveries before it ends.
    package static let lastWaitSeconds = 5
    /// The time until the next look at the outbox if another process holds the store's lock.
    static let lockedStoreMilliseconds = 20
    /// The maximum time between two looks at the outbox. A look finds mails that other processes posted.
    package static let lookSeconds = 60
    /// The same for a store on a server, where no thread learns that another one has posted a mail.
    package static let remoteLookSeconds = 1
    /// Bytes in a template.
    package static let templateBytesMax = 32_768
    /// Bytes in a line without the CRLF (RFC 5322 §2.1.1).
    static let lineBytesMax = 998
    /// Bytes of text in an encoded word, which has at most 75 characters (RFC 2047 §2).
    static let encodedWordTextBytesMax = 45
}
