/// The limits of accounts that the contract does not state, each with its unit in its name. The others are generated
/// from schema/limits.json.
package enum Limits {
    /// Rows for addresses without an account, for each API and each kind of mail, so that invented addresses cannot
    /// fill the disk.
    package static let unknownAddressSlotsMax = 16_384
    /// How far in the future a waiting mail can be due. A later time was set while the clock was ahead.
    package static let mailDelaySecondsMax = 3_600
    /// The maximum lifetime of the code or password in a mail.
    package static let mailLifetimeSecondsMax = claimCodeSeconds
    /// Clients per scan when a list of clients is read.
    package static let clientsPerScanMax = 1_000
    /// Records of a list that are read before the length of its reply is measured. Most lists are shorter.
    package static let replyItemsUnmeasured = clientsPerScanMax
    /// The minimum bytes of a client in a reply, without its texts.
    package static let clientReplyBytesMin = 128
    /// The minimum bytes of a patient in a reply, without its texts.
    package static let patientReplyBytesMin = 96
    /// The minimum bytes of a share in a reply, without its texts.
    package static let shareReplyBytesMin = 64
    /// Shares per scan when a request or a job reads all shares of a patient.
    package static let sharesPerScanMax = 100
    /// The number of patients of a list that are read together.
    package static let patientsPerFetch = 100
    /// The number of accounts that an invitation may create.
    package static let invitationUses = 1...invitationUsesMax
    /// The minimum lengths that `--password-length` accepts. Passwords of 64 characters must be admitted: NIST SP
    /// 800-63B revision 4.
    package static let passwordLengths = 1...64
    /// Records that one transaction of a job deletes or changes. With their index entries that takes about 10 ms,
    /// during which other requests wait. It takes longer if a patient has thousands of invitations: the search for an
    /// heir reads all of them, once.
    package static let jobRecordsMax = 200
    /// How long a process continues with jobs before it ends.
    package static let lastJobsMilliseconds = 2_000
    /// How often a process looks for jobs that other processes left.
    package static let jobLookSeconds = 60
    /// How often expired counts, quotas and codes are deleted.
    package static let sweepSeconds = 3_600
    /// How often a process looks for events of other processes that its host is to get.
    package static let eventLookMilliseconds = 200
    /// After how long the audit trail is read again if that has failed.
    package static let eventRetryMilliseconds = 1_000
    /// The events that are sent to the host before more requests are read.
    package static let eventsPerPush = 200
    /// How long a process remembers a use of a session after it has stored it: longer than any transaction.
    static let storedUseMilliseconds = 60_000
    /// How often the events of a store whose transactions run side by side get their numbers.
    package static let eventNumberingMilliseconds = 200
    /// How many events get their numbers in one transaction.
    static let numberedEventsMax = 500
    /// Rows of a kind that one sweep deletes or corrects.
    package static let sweptRowsMax = 1_000
}
