import Bytestreams
import NIOCore
import XML
import XMPP

/// What a peer may use of this node. Numbers, units, reasons; nothing else decides them.
enum Limits {
  /// Told to peers (XEP-0478): bytes of a stanza that are read, and seconds after which an idle stream is closed.
  static let advertised = StreamLimits(maxBytes: 256 * 1024, idleSeconds: 120)
  /// Requests of one stream to one device being answered at once, where none go to others. A browser opens 6 connections a
  /// device, so this is ten of them.
  static let requests = 64
  /// The same to all devices: one that is slow leaves as many places as it takes.
  static let requestsInAll = 2 * requests
  /// More of them that wait for their turn, and bytes of what came with their stanzas: with those of one device that are
  /// answered, as many as one front has connections.
  static let waitingRequests = 448
  static let waitingBytes = 4 << 20
  /// Those of them whose bodies come beside the stanza: each holds a window of blocks meanwhile, which count as unread.
  static let waitingBodies = 16
  /// WebSockets of one stream at once: the tabs of a person who never closes any.
  static let upgraded = 64
  /// Bodies of one stream being received at once: one for each request that is answered or waits, for each
  /// WebSocket, and for as many responses as browsers ask for.
  static let incomingBodies = requestsInAll + waitingRequests + upgraded + 128
  /// Bodies whose reader went away before their `<open/>` came, remembered until it does.
  static let cancelledBodies = incomingBodies
  /// `<open/>`s that came before the response which announces them (XEP-0332 leaves the order open).
  static let earlyOpens = 16
  /// Bytes read from a socket at once, and how often before others have their turn: a block of 64 KiB arrives in one piece
  /// more often than not.
  static let receiveBuffer = 64 * 1024
  static let readsInARow: UInt = 4
  /// The least bytes read at once, where stanzas are small (`ReadSize`): eight requests of a browser.
  static let leastReceiveBuffer = 4 * 1024
  /// The same for a peer that nobody knows: what it asks in one turn is answered within a few milliseconds, however small
  /// the questions are.
  static let receiveBufferOfStranger = 16 * 1024
  static let readsInARowOfStranger: UInt = 1
  /// Bytes waiting in a socket at which senders without flow control of their own pause, and go on again.
  static let writeBufferHigh = 256 * 1024
  static let writeBufferLow = 64 * 1024
  /// Bytes of stanzas that are collected for one write: a TLS record holds 16 KiB, and a block of 48 KiB is one of 64 in
  /// base64.
  static let flushBytes = 64 * 1024
  /// Bytes of memory that a stream keeps for its next stanzas.
  static let keptOutput = 32 * 1024
  /// Stanzas that are collected for one write: enough that a write and a TLS record cost each of them little, and so few
  /// that the peer works on the first ones while this side works on the next.
  static let flushStanzas = 8
  /// Bytes waiting in a socket at which the connection is cut: here is somebody who asks, and never reads the answers.
  static let unsentBytes = 16 * 1024 * 1024
  /// The same for peers that nobody knows: what each may have in any case, and all of them together, which a small board
  /// can spare. Beyond, whoever has more than its share is cut.
  static let unsentBytesOfStranger = 512 * 1024
  static let unsentBytesOfStrangers = 32 * 1024 * 1024
  /// Bytes in flight of all in-band bytestreams that are sent on one stream, beyond which no window grows: two of the largest. A
  /// node's peers hold them where readers stop, and strangers together have a quarter of what a node holds.
  static let windows = 8 * 1024 * 1024
  static let windowsToStranger = windows / 4
  /// Bytes of all bodies of one stream that wait for their readers: the windows of `requests` and `waitingBodies` senders like
  /// ourselves, and those that have grown.
  /// Beyond, bodies of senders that mind no window break off.
  static let unreadBytes = 40 * 1024 * 1024
  /// Bytes of one row of chunks that wait for their reader, beyond which the stream is not read until it has taken `pausedBytes`: half
  /// of what a row may have, and so much that pauses are rare.
  static let unreadInPause = BytestreamLimits.unreadBytes / 2
  static let pausedBytes = unreadInPause / 4 * 3
  /// Bytes that all streams together may hold for their peers, unless the owner says otherwise: a small board can spare it, and
  /// it holds the windows of 170 bodies that nobody reads. Strangers together have a quarter of it.
  static let memory = 64 << 20
  /// Steps in which a stream's part of that is counted, in bytes, rounded down: what small requests hold is not counted.
  static let memoryStep = 64 * 1024
  /// Stanzas of a stranger on one stream that want an answer, or work: a page with hundreds of parts in many tabs at once, and
  /// then 200 a second. A ping costs a small board some 20 µs.
  static let stanzaBurst = 2000
  static let stanzaInterval = 1.0 / 200
  /// Of those beyond, so many are refused before the stream ends, and 10 more a second: who slows down in time keeps it.
  static let refusedStanzas = 500
  static let refusalInterval = 0.1
  /// Streams from one address: so many at once, then 2 a second. A handshake costs a small board some 3 ms, and no node of ours
  /// needs more than one stream a device.
  static let connectionBurst = 256
  static let connectionInterval = 0.5
  /// Addresses whose streams are counted.
  static let countedAddresses = 1024
  /// Streams that negotiate at once: in all, and from one address. They cost memory before anyone is known.
  static let negotiatingStreams = 64
  static let negotiatingStreamsPerAddress = 4
  /// Established streams of friends, in all and from one address. Each device of a node has a stream of its own, and
  /// file descriptors, 1024 by default, are for others too.
  static let streams = 256
  static let streamsPerAddress = 64
  /// Those of all others, who shall not take a friend's place. Addresses cost nothing on a link with IPv6, so both are
  /// bounded.
  static let strangerStreams = 128
  static let strangerStreamsPerAddress = 32
  /// Connections beside streams at once, or bodies that wait for one: to one node, from one node, and in all. A browser asks for 6
  /// files a device at a time, and file descriptors are for others too. Bodies beyond go in-band.
  static let dataConnectionsOfPeer = 8
  static let dataConnections = 64
  /// Of those of one stream, so many are being made at once: as many negotiating as one address may have, less one for a stream.
  static let dataConnecting = negotiatingStreamsPerAddress - 1
  /// Bytes of a body that are read from such a connection before its reader has taken them, and that wait in one to be sent.
  static let dataAhead = 512 * 1024
  /// Bytes of a message of SOCKS5 that may come before it is whole: a greeting and a request of the largest size.
  static let socksBytes = 1024
  /// The lowest port of a peer that came in that is connected to at its word: below are the services of its system (RFC 6335 §6).
  static let lowestDataPort = 1024
  /// Peers that could not be reached beside the stream that are remembered.
  static let dataFailures = 256
  /// The highest port that every known peer can reach: one keeps ports in a signed short.
  static let highestPort = 32767
  /// Free ports are looked for above the well-known ones and those of common services.
  static let lowestFreePort = 20000
  /// How many ports are tried before giving up: all would have to be taken.
  static let portAttempts = 64
  /// Blocks of an in-band connection that are not acknowledged: over a server some milliseconds away 96 KiB are 10 MB/s, and more would
  /// only wait in the server's queue.
  static let inBandWindow = 16
  /// Bytes of an in-band connection that came and that its reader has not taken: as much as other programs may send ahead of the answers.
  static let inBandHeld = 512 << 10
  /// Bytes of a stream over a server behind which a space comes: what Prosody's proxy reads at once is 8,192.
  static let trailedBytes = 4096
  /// Bytes of a stanza that a server routes in any case (RFC 6120 §13.12), whatever its own limit and those of others on the way are.
  static let routedStanza = 10_000
  /// Bytes that are read from a stream over a server at once, and then sent, before more is read.
  static let routedRead = 64 * 1024
  /// Stanzas that come while such a stream is being opened: what a browser's page begins with; and bytes that came and that it has not
  /// taken, as the largest body in one stanza is and some more: it is read from as long as memory lasts.
  static let routedWaiting = 64
  static let routedHeld = 4 << 20
  /// Bytes of a stanza that are shown to who looks.
  static let tracedText = 4096
  /// A stanza of this side's own that is read again to be shown: an answer to a peer that takes much, or a block of 64 KiB.
  static let traced = XMLLimits(stanzaBytes: 1 << 20, elements: 8192, depth: 64, attributes: 64)
}

/// How long things may take.
enum Timeouts {
  /// Until one of a device's addresses accepts: a host on the same link answers within milliseconds, or a Wi-Fi nap.
  static let connect = TimeAmount.seconds(5)
  /// From the request, its body included, to the head of the response of a peer that is not known to give one in any case: as
  /// long as our own node gives an app. Other Hearth nodes know how long theirs may take, and pings prove that they live.
  static let response = TimeAmount.seconds(300)
  /// For a request to get a place among those that are answered: whoever asked has given up by then, more often than not.
  static let turn = TimeAmount.seconds(60)
  /// For disco#info and ping. Half of the known clients never answer an IQ.
  static let query = TimeAmount.seconds(3)
  /// Nothing that a stream begins is due sooner, but for chunks that are held back, and connections beside it. While something is under way its timer looks so often, and need not be
  /// set anew for each thing that begins or ends.
  static let shortest = query
  /// For the answer to a ping.
  static let control = TimeAmount.seconds(10)
  /// The same on a connection that loses much, where kernels that take no `pause` fall silent for most of a minute.
  static let controlIfLossy = TimeAmount.seconds(60)
  /// Between two repetitions of what was lost: longer than any round trip on a link, and a dozen of them fit into `opening`.
  static let pause = TimeAmount.seconds(2)
  /// For which the kernel repeats what nobody acknowledges, also where nothing waits for it here: longer than `controlIfLossy`.
  static let unacknowledged = TimeAmount.seconds(300)
  /// From the announcement of a body to its `<open/>`, for one that came before the announcement, and for its answer. A bad link may
  /// take that long, and whether anybody is there, pings tell sooner. Blocks have no limit: withheld answers are the flow control.
  static let opening = TimeAmount.seconds(30)
  /// For the answer to an `<open/>` whose body nobody reads yet, where memory is scarce: less than the 10 s that some peers wait.
  static let room = TimeAmount.seconds(3)
  /// For a reader to take `Limits.pausedBytes`: 1.5 MB/s, or a program that was held up, as by a disk. All else on the stream waits as
  /// long.
  static let readPause = TimeAmount.seconds(1)
  /// Without stanzas and open transfers the stream is closed; it is opened again on demand.
  static let idle = TimeAmount.seconds(120)
  /// While something is under way, a peer that is silent for so long is pinged (XEP-0199), and has `control` to answer from the
  /// last sign of life that its kernel gave.
  /// Somebody waits, and on a link whose hosts lose their power that should end before patience does.
  static let silence = TimeAmount.seconds(5)
  /// A stream that was silent for so long is pinged before it is used again.
  static let doubt = TimeAmount.seconds(10)
  /// From the last bytes of a stream over a server to the space behind them: longer than between two stanzas of a body, and not long for who
  /// waits; then four times as long, until a proxy that is slow has read them.
  static let firstTrail = TimeAmount.milliseconds(20)
  static let lastTrail = TimeAmount.milliseconds(1280)
  /// For SOCKS5 and TLS on a connection beside the stream, each: longer than anybody waits for it (`BytestreamLimits.connecting`), and
  /// far less than a stream may take, since only programs speak there.
  static let dataHandshake = TimeAmount.seconds(2)
  /// Between the last byte of a body and the end of its connection, for the other side to have its say.
  static let dataClose = TimeAmount.seconds(2)
  /// For which bodies to a peer go in-band at once where no connection beside the stream came about: firewalls last, and what it costs
  /// to try again is a second.
  static let dataFailure = TimeAmount.minutes(10)
  /// For the features of a peer that promised them by `version='1.0'`.
  static let features = TimeAmount.seconds(1)
}
