/* A Modbus TCP server on libmodbus: units 1 to 3 with tables of their own, unit 9 that never answers, unit 10 behind a
 * gateway that reports 0x0B. Says on stdout, one JSON object a line: its port, each connection, each write as received.
 *
 *     libmodbus_server PORT      0: any free port
 *
 * Tables of unit u: coil i and discrete input i are (i * u) % 3 == 0, holding register i is u * 1000 + i, input register
 * i is u * 2000 + i; 200 of each. Plain registers only: modbus_set_float_abcd of Debian's 3.1.6 swaps bytes.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <modbus/modbus.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

enum { UNITS = 3, SIZE = 200, SILENT = 9, UNREACHABLE = 10 };

static modbus_mapping_t *tables[UNITS + 1];

static void fill(int unit) {
    modbus_mapping_t *t = modbus_mapping_new(SIZE, SIZE, SIZE, SIZE);
    for (int i = 0; i < SIZE; i++) {
        t->tab_bits[i] = t->tab_input_bits[i] = (i * unit) % 3 == 0;
        t->tab_registers[i] = unit * 1000 + i;
        t->tab_input_registers[i] = unit * 2000 + i;
    }
    tables[unit] = t;
}

static void tell_write(const uint8_t *query, int length) {
    printf("{\"unit\": %d, \"function\": %d, \"body\": \"", query[6], query[7]);
    for (int i = 8; i < length; i++) printf("%02x", query[i]);
    printf("\"}\n");
}

static void answer(modbus_t *ctx, const uint8_t *query, int length) {
    int unit = query[6], function = query[7];
    if (unit == SILENT) return;
    if (unit == UNREACHABLE) {
        modbus_reply_exception(ctx, query, MODBUS_EXCEPTION_GATEWAY_TARGET);
    } else if (unit < 1 || unit > UNITS) {
        modbus_reply_exception(ctx, query, MODBUS_EXCEPTION_GATEWAY_PATH);
    } else {
        if (function == 5 || function == 6 || function == 15 || function == 16 || function == 22)
            tell_write(query, length);
        modbus_reply(ctx, query, length, tables[unit]);
    }
}

int main(int argc, char **argv) {
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (int unit = 1; unit <= UNITS; unit++) fill(unit);
    modbus_t *ctx = modbus_new_tcp("127.0.0.1", argc > 1 ? atoi(argv[1]) : 0);
    int listening = modbus_tcp_listen(ctx, 16);
    if (listening < 0) return fprintf(stderr, "%s\n", modbus_strerror(errno)), 1;
    struct sockaddr_in here;
    socklen_t size = sizeof here;
    getsockname(listening, (struct sockaddr *)&here, &size);
    printf("{\"port\": %d}\n", ntohs(here.sin_port));

    fd_set open;
    FD_ZERO(&open);
    FD_SET(listening, &open);
    int highest = listening;
    for (;;) {
        fd_set ready = open;
        if (select(highest + 1, &ready, NULL, NULL, NULL) < 0) return 1;
        for (int fd = 0; fd <= highest; fd++) {
            if (!FD_ISSET(fd, &ready)) continue;
            if (fd == listening) {
                int new = accept(listening, NULL, NULL);
                if (new < 0) continue;
                FD_SET(new, &open);
                if (new > highest) highest = new;
                printf("{\"connection\": %d}\n", new);
                continue;
            }
            uint8_t query[MODBUS_TCP_MAX_ADU_LENGTH];
            modbus_set_socket(ctx, fd);
            int length = modbus_receive(ctx, query);
            if (length > 0) {
                answer(ctx, query, length);
            } else if (length < 0) {
                close(fd);
                FD_CLR(fd, &open);
            }
        }
    }
}
