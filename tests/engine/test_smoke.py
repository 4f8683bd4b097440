import time
def test_x(bench):
    t=time.time()
    d=bench.run("Last_Name,Email\nA,a@x.example\nB,b@x.example\n")
    print(time.time()-t, d)
    t=time.time()
    d=bench.run("Last_Name,Email\nA,a@x.example\nB,b@x.example\n",operation="upsert",find_by="Email")
    print(time.time()-t, d)
    assert 0
