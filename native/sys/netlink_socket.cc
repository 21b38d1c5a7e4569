#include "netlink_socket.h"
