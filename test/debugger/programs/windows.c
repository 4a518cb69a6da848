/* Values of which a client asks for a part: many elements, several members. */
struct point {
    int x, y, z, w;
};
struct point corner = { 10, 20, 30, 40 };
int numbers[300];
int table[3][4];

__attribute__((noinline)) static int fill(void)
{
    int sum = 0;
    for (int i = 0; i < 300; i++)
        sum += numbers[i] = 1000 + i;
    for (int i = 0; i < 12; i++)
        table[i / 4][i % 4] = i;
    return sum; /* FILLED */
}

void kernel_main(void)
{
    fill();
}
