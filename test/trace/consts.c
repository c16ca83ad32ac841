/* SPDX-License-Identifier: BSD-3-Clause */
#include "lang.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

/* The names that scripts use, with the values that this machine's headers give them. */

#define C(name)                                                                                    \
	{                                                                                          \
#name, (int64_t)(name)                                                             \
	}

static const struct {
	const char *name;
	int64_t v;
} errnos[] = {
	C(EACCES),
	C(EADDRINUSE),
	C(EADDRNOTAVAIL),
	C(EAFNOSUPPORT),
	C(EAGAIN),
	C(EALREADY),
	C(EBADF),
	C(ECONNABORTED),
	C(ECONNREFUSED),
	C(ECONNRESET),
	C(EDESTADDRREQ),
	C(EFAULT),
	C(EHOSTDOWN),
	C(EHOSTUNREACH),
	C(EINPROGRESS),
	C(EINTR),
	C(EINVAL),
	C(EISCONN),
	C(EMSGSIZE),
	C(ENETUNREACH),
	C(ENOBUFS),
	C(ENOENT),
	C(ENOMEM),
	C(ENONET),
	C(ENOPROTOOPT),
	C(ENOSYS),
	C(ENOTCONN),
	C(ENOTSOCK),
	C(EOPNOTSUPP),
	C(EPERM),
	C(EPIPE),
	C(EPROTO),
	C(EEXIST),
	C(ERANGE),
	C(ETIMEDOUT),
	C(EWOULDBLOCK),
	C(EDOM),
	C(ENODATA),
};

/* newer than the oldest libc that we build with */
#define TD_TCP_INQ		  36
#define TD_TCP_FASTOPEN_CONNECT	  30
#define TD_TCP_FASTOPEN_NO_COOKIE 34

static const struct {
	const char *name;
	int64_t v;
} consts[] = {
	C(AF_INET),
	C(AF_INET6),
	C(PF_INET),
	C(PF_INET6),
	C(SOCK_STREAM),
	C(SOCK_DGRAM),
	C(SOCK_NONBLOCK),
	C(SOCK_CLOEXEC),
	C(IPPROTO_TCP),
	C(IPPROTO_IP),
	C(IPPROTO_IPV6),
	C(IPPROTO_UDP),
	C(INADDR_ANY),
	C(SOL_SOCKET),
	{"SOL_TCP", IPPROTO_TCP},
	{"SOL_IP", IPPROTO_IP},
	{"SOL_IPV6", IPPROTO_IPV6},
	C(SHUT_RD),
	C(SHUT_WR),
	C(SHUT_RDWR),
	C(F_GETFL),
	C(F_SETFL),
	C(F_GETFD),
	C(F_SETFD),
	C(FD_CLOEXEC),
	C(O_RDONLY),
	C(O_WRONLY),
	C(O_RDWR),
	C(O_NONBLOCK),
	/* SOL_SOCKET */
	C(SO_REUSEADDR),
	C(SO_REUSEPORT),
	C(SO_SNDBUF),
	C(SO_RCVBUF),
	C(SO_SNDBUFFORCE),
	C(SO_RCVBUFFORCE),
	C(SO_LINGER),
	C(SO_KEEPALIVE),
	C(SO_ERROR),
	C(SO_RCVLOWAT),
	C(SO_SNDLOWAT),
	C(SO_OOBINLINE),
	C(SO_ACCEPTCONN),
	C(SO_TYPE),
	C(SO_PROTOCOL),
	C(SO_DOMAIN),
	C(SO_PRIORITY),
	C(SO_MARK),
	C(SO_BROADCAST),
	C(SO_RCVTIMEO),
	C(SO_SNDTIMEO),
	C(SO_ZEROCOPY),
	C(SO_MAX_PACING_RATE),
	C(SO_TIMESTAMPING),
	C(SO_INCOMING_CPU),
	C(SO_BUSY_POLL),
	/* TCP */
	C(TCP_NODELAY),
	C(TCP_MAXSEG),
	C(TCP_CORK),
	C(TCP_KEEPIDLE),
	C(TCP_KEEPINTVL),
	C(TCP_KEEPCNT),
	C(TCP_SYNCNT),
	C(TCP_LINGER2),
	C(TCP_DEFER_ACCEPT),
	C(TCP_WINDOW_CLAMP),
	C(TCP_INFO),
	C(TCP_QUICKACK),
	C(TCP_CONGESTION),
	C(TCP_USER_TIMEOUT),
	C(TCP_FASTOPEN),
	{"TCP_FASTOPEN_CONNECT", TD_TCP_FASTOPEN_CONNECT},
	{"TCP_FASTOPEN_NO_COOKIE", TD_TCP_FASTOPEN_NO_COOKIE},
	{"TCP_NOTSENT_LOWAT", 25},
	{"TCP_INQ", TD_TCP_INQ},
	{"TCP_CM_INQ", TD_TCP_INQ},
	{"TCP_CC_INFO", 26},
	{"IP_TOS", IP_TOS},
	{"IP_TTL", IP_TTL},
	{"IP_MTU", IP_MTU},
	{"IP_MTU_DISCOVER", IP_MTU_DISCOVER},
	{"IP_RECVERR", IP_RECVERR},
	{"IPV6_V6ONLY", IPV6_V6ONLY},
	{"IPV6_TCLASS", IPV6_TCLASS},
	/* send and receive */
	C(MSG_MORE),
	C(MSG_OOB),
	C(MSG_PEEK),
	C(MSG_DONTWAIT),
	C(MSG_WAITALL),
	C(MSG_NOSIGNAL),
	C(MSG_TRUNC),
	C(MSG_EOR),
	C(MSG_ERRQUEUE),
	C(MSG_CTRUNC),
	{"MSG_ZEROCOPY", 0x4000000},
	{"MSG_FASTOPEN", 0x20000000},
	/* ioctl, poll, epoll */
	C(SIOCINQ),
	C(SIOCOUTQ),
	{"SIOCOUTQNSD", 0x894B},
	C(FIONREAD),
	C(FIONBIO),
	C(SIOCATMARK),
	C(POLLIN),
	C(POLLOUT),
	C(POLLERR),
	C(POLLHUP),
	C(POLLPRI),
	C(POLLRDHUP),
	C(POLLNVAL),
	C(POLLRDNORM),
	C(POLLWRNORM),
	C(EPOLLIN),
	C(EPOLLOUT),
	C(EPOLLERR),
	C(EPOLLHUP),
	C(EPOLLPRI),
	C(EPOLLRDHUP),
	C(EPOLLRDNORM),
	C(EPOLLWRNORM),
	{"EPOLLET", EPOLLET},
	{"EPOLLONESHOT", EPOLLONESHOT},
	C(EPOLL_CTL_ADD),
	C(EPOLL_CTL_MOD),
	C(EPOLL_CTL_DEL),
	C(EPOLL_CLOEXEC),
	/* what code compares with */
	C(TCP_ESTABLISHED),
	C(TCP_SYN_SENT),
	C(TCP_SYN_RECV),
	C(TCP_FIN_WAIT1),
	C(TCP_FIN_WAIT2),
	C(TCP_TIME_WAIT),
	C(TCP_CLOSE),
	C(TCP_CLOSE_WAIT),
	C(TCP_LAST_ACK),
	C(TCP_LISTEN),
	C(TCP_CLOSING),
	{"TCP_CA_Open", 0},
	{"TCP_CA_Disorder", 1},
	{"TCP_CA_CWR", 2},
	{"TCP_CA_Recovery", 3},
	{"TCP_CA_Loss", 4},
	C(TCPI_OPT_TIMESTAMPS),
	C(TCPI_OPT_SACK),
	C(TCPI_OPT_WSCALE),
	C(TCPI_OPT_ECN),
	{"TCPI_OPT_ECN_SEEN", 16},
	{"NULL", 0},
	{"True", 1},
	{"False", 0},
	{"INT_MAX", INT_MAX},
	{"TCP_INFINITE_SSTHRESH", 0x7fffffff},
};

bool td_const(const char *name, int64_t *v)
{
	for (unsigned int i = 0; i < PLX_DIM(errnos); i++) {
		if (strcmp(errnos[i].name, name) == 0) {
			*v = errnos[i].v;
			return true;
		}
	}
	for (unsigned int i = 0; i < PLX_DIM(consts); i++) {
		if (strcmp(consts[i].name, name) == 0) {
			*v = consts[i].v;
			return true;
		}
	}
	return false;
}

const char *td_errno_name(int err)
{
	static char number[16];

	for (unsigned int i = 0; i < PLX_DIM(errnos); i++) {
		if (errnos[i].v == err)
			return errnos[i].name;
	}
	snprintf(number, sizeof(number), "%d", err);
	return number;
}
